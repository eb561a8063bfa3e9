import type * as t from 'io-ts';
import { mismatch } from './expectation.ts';
import { fine, issue, type Finding } from './finding.ts';
import { plainValue, shown, type Located, type LocatedScalar } from './located.ts';

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
  return wrong(codec, node, path, decoded.left[0]?.message);
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
