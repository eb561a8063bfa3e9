import type { Block } from './block.ts';
import type { Line } from './line.ts';

/** A block and how early it is served when rows are scarce: the lowest first. */
export interface Placed {
  readonly block: Block;
  readonly rank: number;
  /** It gets what the others leave; default false. */
  readonly takesRest?: boolean;
}

interface Shares {
  readonly rows: readonly number[];
  readonly gaps: number;
}

/** First the least of each block by rank, then what each would still like, then gaps, then the rest. */
function shareOut(placed: readonly Placed[], rows: number): Shares {
  const given = new Map<Placed, number>(placed.map(one => [one, 0]));
  let left = rows;
  const give = (one: Placed, wish: number): void => {
    const has = given.get(one) ?? 0;
    const more = Math.min(left, Math.max(0, wish - has));
    given.set(one, has + more);
    left -= more;
  };
  const byRank = placed.toSorted((a, b) => a.rank - b.rank);
  for (const one of byRank) give(one, one.block.least);
  for (const one of byRank) if (one.takesRest !== true) give(one, one.block.most);
  const gaps = Math.max(0, Math.min(left, [...given.values()].filter(count => count > 0).length - 1));
  left -= gaps;
  for (const one of byRank) if (one.takesRest === true) give(one, one.block.most);
  return { rows: placed.map(one => given.get(one) ?? 0), gaps };
}

/**
 * Blocks from top to bottom within `rows` lines, an empty line between them where there is room.
 */
export function stack(placed: readonly Placed[], rows: number): Line[] {
  const shared = shareOut(placed, rows);
  const blocks = placed
    .map(({ block }, index) => block.render(shared.rows[index] ?? 0).slice(0, shared.rows[index] ?? 0))
    .filter(lines => lines.length > 0);
  return blocks.flatMap((lines, index) => (index > 0 && index <= shared.gaps ? [[], ...lines] : lines));
}
