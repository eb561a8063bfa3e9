/** A line of a page: `name{labels} value`. */
export interface Sample {
  readonly name: string;
  /** As written, without the braces; empty where there are none. */
  readonly labels: string;
  readonly value: string;
}

const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const commentLine = /^# (?:HELP|TYPE) (\S+)/;

/** The sample that a line holds, if it holds one. */
export function sampleOf(line: string): Sample | undefined {
  const [, name, labels = '', value] = sampleLine.exec(line) ?? [];
  return name === undefined || value === undefined ? undefined : { name, labels, value };
}

/** The value of a label, escapes undone. */
export function labelOf({ labels }: Sample, label: string): string | undefined {
  for (const [, name, value] of labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
    if (name === label)
      return value?.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }
  return undefined;
}

/** Pages of several workers as one, each metric once, its samples told apart by a label `worker`. */
export function mergePages(pages: readonly { readonly worker: string; readonly text: string }[]): string {
  const comments = new Map<string, Set<string>>();
  const samples = new Map<string, string[]>();
  for (const { worker, text } of pages) {
    let family = '';
    for (const line of text.split('\n')) {
      const commented = commentLine.exec(line)?.[1];
      if (commented !== undefined) {
        family = commented;
        const known = comments.get(family) ?? new Set();
        comments.set(family, known.add(line));
        continue;
      }
      const sample = sampleOf(line);
      if (sample === undefined) continue;
      // The buckets and sums of a histogram follow its comment under longer names.
      const of = sample.name.startsWith(family) ? family : sample.name;
      const lines = samples.get(of) ?? [];
      samples.set(of, lines);
      const labels = [`worker="${worker}"`, ...(sample.labels === '' ? [] : [sample.labels])].join(',');
      lines.push(`${sample.name}{${labels}} ${sample.value}`);
    }
  }
  const families = new Set([...comments.keys(), ...samples.keys()]);
  return [...families]
    .flatMap(family => [...(comments.get(family) ?? []), ...(samples.get(family) ?? []), ''])
    .join('\n');
}
