/** Where something stands in a file: line and column, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** What is wrong within one file, before the file's name is known to the finder. */
export interface Issue {
  readonly at: Place;
  /** The way to the value, such as `topics.cryptorun-signals.retention`; empty for the whole file. */
  readonly path: string;
  /** What is wrong and what would be right; holds no value of an environment variable. */
  readonly text: string;
}

/** One thing that is wrong in a configuration file. */
export interface ConfigProblem extends Issue {
  readonly file: string;
}

const shownAtMost = 200;

/** One line: `file:line:column path: what is wrong, what would be right`. */
function formatProblem({ file, at, path, text }: ConfigProblem): string {
  const line = `${file}:${at.line}:${at.column} ${path === '' ? '' : `${path}: `}${text}`;
  // Keys of the file are in it: they must not end the line or steer a terminal.
  return line.replaceAll(/\p{Cc}/gu, ' ');
}

/** One line per problem, in the order of files and places; past 200 problems the rest is only counted. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  const lines = problems.toSorted(byPlace).slice(0, shownAtMost).map(formatProblem);
  const rest = problems.length - lines.length;
  return [...lines, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n');
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  const files = a.file < b.file ? -1 : a.file > b.file ? 1 : 0;
  return files || a.at.line - b.at.line || a.at.column - b.at.column;
}
