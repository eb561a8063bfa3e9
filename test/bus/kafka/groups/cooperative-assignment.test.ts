import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignCooperatively } from '../../../../src/bus/kafka/groups/cooperative-assignment.ts';
import { type Candidate, assignPartitions } from '../../../../src/bus/kafka/groups/sticky-assignment.ts';

type Owned = Candidate['owned'];

const topics = ['a', 'b'];
const counts = new Map([
  ['a', 6],
  ['b', 4],
]);

function member(name: string, owned: Owned = {}, exclusive = false): Candidate {
  return { member: name, topics, instance: name, rank: 0, exclusive, owned };
}

/** Rounds of the group until nobody has anything to give up; what each has in each. */
function rounds(first: readonly Candidate[]): readonly (readonly Candidate[])[] {
  const all: (readonly Candidate[])[] = [];
  for (let candidates = first; all.length < 4;) {
    const assigned = assignCooperatively(candidates, counts);
    const next = candidates.map(each => ({ ...each, owned: assigned.get(each.member) ?? {} }));
    all.push(next);
    const gaveUp = candidates.some(each =>
      places(each.owned).some(place => !places(assigned.get(each.member) ?? {}).includes(place)),
    );
    if (!gaveUp) return all;
    candidates = next;
  }
  return all;
}

function places(owned: Owned): readonly string[] {
  return Object.entries(owned).flatMap(([topic, partitions]) => partitions.map(each => `${topic}${each}`));
}

const groups = fc
  .tuple(
    fc.integer({ min: 1, max: 5 }),
    fc.boolean(),
    fc.array(fc.option(fc.nat(4)), { minLength: 10, maxLength: 10 }),
  )
  .map(([size, exclusive, holders]) => {
    const names = Array.from({ length: size }, (_, i) => `m${i}`);
    const owned = names.map((_, i): Record<string, number[]> => {
      const held = (from: number, count: number): number[] =>
        Array.from({ length: count }, (_each, p) => p).filter(p => holders[from + p] === i);
      return { a: held(0, 6), b: held(6, 4) };
    });
    return names.map((name, i) => member(name, owned[i], exclusive));
  });

describe('sharing out while members go on reading', () => {
  it('gives nobody what another still holds', () => {
    fc.assert(
      fc.property(groups, candidates => {
        const assigned = assignCooperatively(candidates, counts);
        for (const { member: name, owned } of candidates) {
          const others = candidates
            .filter(each => each.member !== name)
            .map(each => assigned.get(each.member));
          for (const place of places(owned))
            expect(others.flatMap(other => places(other ?? {}))).not.toContain(place);
        }
      }),
    );
  });

  it('ends, after one more round at most, where sharing out at once would have ended', () => {
    fc.assert(
      fc.property(groups, candidates => {
        const all = rounds(candidates);
        expect(all.length).toBeLessThanOrEqual(2);
        const last = all.at(-1) ?? [];
        expect(last.flatMap(({ owned }) => places(owned)).sort()).toEqual(
          [...counts]
            .flatMap(([topic, count]) => Array.from({ length: count }, (_, p) => `${topic}${p}`))
            .sort(),
        );
        const sizes = (given: Iterable<Owned>): number[] =>
          [...given].map(each => places(each).length).sort();
        expect(sizes(last.map(({ owned }) => owned))).toEqual(
          sizes(assignPartitions(candidates, counts).values()),
        );
      }),
    );
  });

  it('takes from the first only what the second is to have', () => {
    const before = member('m0', { a: [0, 1, 2, 3, 4, 5], b: [0, 1, 2, 3] });
    const [first, second] = rounds([before, member('m1')]);
    expect(first?.map(({ owned }) => places(owned).length)).toEqual([5, 0]);
    expect(second?.map(({ owned }) => places(owned).length)).toEqual([5, 5]);
    for (const place of places(first?.[0]?.owned ?? {}))
      expect(places(second?.[0]?.owned ?? {})).toContain(place);
  });
});
