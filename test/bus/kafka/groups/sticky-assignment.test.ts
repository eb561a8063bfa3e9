import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Assignments,
  type Candidate,
  assignPartitions,
} from '../../../../src/bus/kafka/groups/sticky-assignment.ts';

const topics = ['a', 'b', 'c'];

function members(count: number, owned: (member: string) => Candidate['owned'] = () => ({})): Candidate[] {
  return Array.from({ length: count }, (_, i) => {
    const member = `m${i}`;
    return { member, topics, instance: `i${i}`, rank: 0, exclusive: false, owned: owned(member) };
  });
}

const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 3, maxLength: 3 });
const counted = (each: readonly number[]): ReadonlyMap<string, number> =>
  new Map(topics.map((topic, i) => [topic, each[i] ?? 1]));

function ofTopic(assignments: Assignments, topic: string): readonly (readonly number[])[] {
  return [...assignments.values()].map(mine => mine[topic] ?? []);
}

describe('sticky assignment', () => {
  it('gives every partition to one member, and every member as many as any other, give or take one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), sizes, (count, each) => {
        const assignments = assignPartitions(members(count), counted(each));
        for (const [topic, size] of counted(each)) {
          const shares = ofTopic(assignments, topic);
          expect(shares.flat().sort((x, y) => x - y)).toEqual([...Array(size).keys()]);
          const loads = shares.map(share => share.length);
          expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('leaves a partition where it is as far as that keeps the balance', () => {
    const few = fc.integer({ min: 1, max: 8 });
    fc.assert(
      fc.property(few, few, sizes, (before, after, each) => {
        const first = assignPartitions(members(before), counted(each));
        const second = assignPartitions(
          members(after, member => first.get(member) ?? {}),
          counted(each),
        );
        for (const [topic, size] of counted(each)) {
          for (let i = 0; i < Math.min(before, after); i++) {
            const [held, kept] = [first, second].map(which => which.get(`m${i}`)?.[topic] ?? []);
            const least = Math.min(held?.length ?? 0, Math.floor(size / after));
            expect(held?.filter(partition => kept?.includes(partition)).length).toBeGreaterThanOrEqual(least);
          }
        }
      }),
    );
  });

  it('keeps what belongs together in one process: equal partition counts are shared out alike', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 12 }), (count, size) => {
        for (const mine of assignPartitions(members(count), counted([size, size, size])).values()) {
          expect(mine['b']).toEqual(mine['a']);
          expect(mine['c']).toEqual(mine['a']);
        }
      }),
    );
  });

  it('gives everything to one where that is what they want, and leaves it there', () => {
    const counts = new Map([['a', 5]]);
    const wanting = members(3, member => (member === 'm1' ? { a: [0, 1, 2] } : {}));
    const assigned = assignPartitions(
      wanting.map(member => ({ ...member, exclusive: true })),
      counts,
    );
    expect(ofTopic(assigned, 'a')).toEqual([[], [0, 1, 2, 3, 4], []]);
  });
});
