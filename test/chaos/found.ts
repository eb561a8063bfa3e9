import type { Guarantee } from '../../src/runtime/pipeline.ts';

/** What is counted in each run. */
export const counted = ['lost', 'wrong', 'reordered', 'duplicates', 'backwards', 'vanished'] as const;

export type Found = Readonly<Record<(typeof counted)[number], number>>;

export function inWords({ lost, wrong, reordered, backwards, vanished, duplicates }: Found): string {
  return `lost ${lost}, wrong ${wrong}, reordered ${reordered}, offsets backwards ${backwards}, seen and gone ${vanished}, duplicates ${duplicates}`;
}

/** Whether there is what may be in no run, or what its pipelines promised that it would not be. */
export function isBad(found: Found, guarantee: Guarantee): boolean {
  const { lost, wrong, reordered, backwards, vanished, duplicates } = found;
  return (
    lost + wrong + reordered + backwards + vanished + (guarantee === 'exactly-once' ? duplicates : 0) > 0
  );
}
