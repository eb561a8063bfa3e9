import type * as t from 'io-ts';
import { mismatch } from './expectation.ts';
import { combined, fine, issue, type Finding } from './finding.ts';
import { locate, pathTo, plainValue, shown, type Located, type LocatedScalar } from './located.ts';

/** Lets the codec's own decoder judge a value that is not taken apart further. */
export function asWhole(
  codec: t.Mixed,
  node: Located,
  path: string,
  asText: readonly LocatedScalar[] = [],
): Finding {
  if (holds(node, part => part.kind === 'unreadable')) return fine;
  const decoded = codec.decode(plainValue(node, new Set(asText)));
  if (decoded._tag === 'Right') return { issues: [], asText };
  if (node.kind === 'scalar' && node.text !== undefined && codec.decode(node.text)._tag === 'Right')
    return { issues: [], asText: [node] };
  if (node.kind === 'scalar') return wrong(codec, node, path, decoded.left[0]?.message);
  return combined(decoded.left.map(error => inside(codec, error, node, path)));
}

/** A decoder's own error at the place that its context leads to. */
function inside(
  codec: t.Mixed,
  { context, message }: t.ValidationError,
  node: Located,
  path: string,
): Finding {
  let [found, foundPath] = [node, path];
  // The first entry is the value itself; the members of intersections and unions have entries but no place.
  const inner = context.slice(1);
  for (const { key } of inner) {
    const next = locate(found, [key]);
    if (next === found) continue;
    [found, foundPath] = [next, pathTo(foundPath, key)];
  }
  const last = inner.at(-1);
  if (!last) return wrong(codec, node, path, message);
  return last.actual === undefined
    ? issue(found.at, pathTo(foundPath, last.key), `is missing: ${last.type.name}`)
    : issue(found.at, foundPath, `${shown(found, foundPath)} is no ${last.type.name}`);
}

/**
 * A value that a codec does not take.
 *
 * @param message ends a sentence that begins with the value; not used where the environment has a part in it
 */
export function wrong(codec: t.Mixed, node: Located, path: string, message?: string): Finding {
  const sayable = !holds(node, part => part.kind === 'scalar' && part.written !== undefined);
  const value = node.kind === 'scalar' ? (node.written ?? node.value) : undefined;
  const text =
    message !== undefined && sayable
      ? `${shown(node, path)} ${message}`
      : mismatch(codec, shown(node, path), value);
  return issue(node.at, path, text);
}

function holds(node: Located, has: (part: Located) => boolean): boolean {
  if (has(node)) return true;
  if (node.kind === 'map') return [...node.entries.values()].some(({ node }) => holds(node, has));
  return node.kind === 'list' && node.items.some(item => holds(item, has));
}
