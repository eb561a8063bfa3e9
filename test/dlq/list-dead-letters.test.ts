import fc from 'fast-check';
import { tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  type DeadLetter,
  deadLetterTopic,
  quarantineTopic,
  readDeadLetter,
} from '../../src/core/dead-letter.ts';
import { MessageHeaders } from '../../src/core/headers.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { groupDeadLetters, listDeadLetters } from '../../src/dlq/list-dead-letters.ts';
import { kindOf } from '../../src/dlq/letter-group.ts';
import { type LetterSelection, isSelected } from '../../src/dlq/letter-selection.ts';
import { messageOf } from '../../src/testing/index.ts';
import { busWhere, busWith, idOf, letterOf, publish, storedIn } from './letters.ts';

async function collected(...args: Parameters<typeof listDeadLetters>): Promise<readonly DeadLetter[]> {
  const found: DeadLetter[] = [];
  for await (const letter of listDeadLetters(...args)) found.push(letter);
  return found;
}

async function ids(
  bus: EventBus,
  selection?: LetterSelection,
  options?: { readonly limit?: number; readonly topic?: string },
): Promise<readonly number[]> {
  const letters = await collected(bus, selection, options);
  return letters.map(({ id }) => parseInt(id.slice(0, 8), 16)).toSorted((a, b) => a - b);
}

async function someLetters(): Promise<EventBus> {
  const bus = await busWith(deadLetterTopic, quarantineTopic);
  await publish(bus, [
    letterOf({ n: 1 }),
    letterOf({ n: 2, pipeline: 'gates' }),
    letterOf({ n: 3, key: 'ETH-USD' }),
    letterOf({ n: 4, reason: 'no such symbol "XYZ"', key: null }),
    letterOf({ n: 5, topic: quarantineTopic }),
  ]);
  return bus;
}

/** The letter that a reader would make of it. */
function read(spec: Parameters<typeof letterOf>[0]): DeadLetter {
  const { headers, key } = letterOf(spec);
  return readDeadLetter(messageOf({ headers: headers!, key, id: idOf(spec?.n ?? 1) }))!;
}

const kind = (spec: Parameters<typeof letterOf>[0]): string => kindOf(read(spec)).id;

describe('listDeadLetters', () => {
  it.each<[string, LetterSelection, readonly number[]]>([
    ['all', {}, [1, 2, 3, 4]],
    ['by the beginning of an id', { id: '00000003' }, [3]],
    ['by pipeline', { pipeline: 'gates' }, [2]],
    ['by key', { key: 'ETH-USD' }, [3]],
    ['from a time on', { since: 20_003 }, [3, 4]],
    ['before a time', { until: 20_003 }, [1, 2]],
    ['by group', { group: kind({ n: 77 }) }, [1, 3]],
    ['by the beginning of a group', { group: kind({ reason: 'no such symbol "A"' }).slice(0, 4) }, [4]],
    ['by several at once', { pipeline: 'bars', key: 'BTC-USD' }, [1]],
    ['none', { pipeline: 'unknown' }, []],
  ])('finds %s', async (_, selection, expected) => {
    expect(await ids(await someLetters(), selection)).toEqual(expected);
  });

  it('looks into the quarantine where it is told so, and stops at its limit', async () => {
    const bus = await someLetters();
    expect(await ids(bus, {}, { topic: quarantineTopic })).toEqual([5]);
    expect(await ids(bus, {}, { limit: 2 })).toHaveLength(2);
    expect(await ids(bus, {}, { limit: 0 })).toEqual([]);
  });

  it('passes over what is no dead letter and what is nonsense in headers', async () => {
    const bus = await busWith(deadLetterTopic);
    await bus.publish({ topic: deadLetterTopic, key: null, payload: Buffer.from('a stranger') });
    const headers = MessageHeaders.of({
      'x-dlq-original-topic': 'prices',
      'x-dlq-original-partition': 'NaN',
      'x-dlq-attempts': 'many',
      'x-dlq-last-failure-time': '12:01',
    });
    await bus.publish({ topic: deadLetterTopic, key: null, payload: null, headers });
    const [letter, second] = await collected(bus);
    expect(second).toBeUndefined();
    expect(letter).toMatchObject({ origin: { partition: 0 }, attempts: 0, lastFailureAt: 0, count: 1 });
  });

  // Kills: a listing that reads everything before it gives the first.
  it('reads no more than it is asked for', async () => {
    const bus = await busWith(deadLetterTopic);
    await publish(
      bus,
      Array.from({ length: 600 }, (_, n) => letterOf({ n })),
    );
    let delivered = 0;
    const counting = busWhere(bus, {
      source: (...args) => bus.source(...args).pipe(tap(() => delivered++)),
    });
    for await (const letter of listDeadLetters(counting)) {
      expect(letter.pipeline).toBe('bars');
      break;
    }
    expect(delivered).toBe(256);
  });

  it('ends with what ends the source, and where there is no such topic', async () => {
    const bus = await busWith('other');
    await expect(collected(bus)).rejects.toThrow('no topic cryptorun-dlq');
  });

  it('leaves no trace', async () => {
    const bus = await someLetters();
    await ids(bus);
    expect((await bus.getTopicInfo(deadLetterTopic)).groups).toEqual([]);
    expect(storedIn(bus, deadLetterTopic)).toHaveLength(4);
  });
});

describe('groupDeadLetters', () => {
  it('counts by pipeline, stage, tag and reason without what differs, the largest first', async () => {
    const groups = await groupDeadLetters(await someLetters());
    expect(groups).toMatchObject([
      {
        pipeline: 'bars',
        stage: 'decode',
        failure: 'decode',
        reason: 'price <n> is not above <n>',
        count: 2,
      },
      { pipeline: 'bars', reason: 'no such symbol <text>', count: 1 },
      { pipeline: 'gates', reason: 'price <n> is not above <n>', count: 1 },
    ]);
    expect(groups[0]).toMatchObject({ firstAt: 20_001, lastAt: 20_003 });
    expect([idOf(1), idOf(3)]).toContain(groups[0]?.example);
    expect(new Set(groups.map(({ id }) => id)).size).toBe(3);
  });

  it('has ids that stay the same', () => {
    expect(kind({ n: 1 })).toBe(kind({ n: 2, key: 'other', count: 3 }));
    expect(kind({ n: 1 })).toMatch(/^[0-9a-f]{8}$/);
    expect(kind({ n: 1 })).not.toBe(kind({ n: 1, stage: 'other' }));
  });
});

describe('isSelected', () => {
  it('means what every part of the selection means', () => {
    const part = fc.constantFrom<LetterSelection>(
      { id: '0000' },
      { id: 'f' },
      { pipeline: 'bars' },
      { key: 'no' },
      { since: 20_000 },
      { until: 15_000 },
      { group: kind({}) },
    );
    fc.assert(
      fc.property(fc.array(part), fc.integer({ min: 1, max: 99 }), (parts, n) => {
        const letter = read({ n });
        const whole = parts.reduceRight<LetterSelection>((sum, one) => ({ ...sum, ...one }), {});
        const kept = parts.filter(one =>
          Object.entries(one).every(([k, v]) => Object.entries(whole).some(([l, w]) => l === k && v === w)),
        );
        expect(isSelected(letter, whole)).toBe(kept.every(one => isSelected(letter, one)));
      }),
    );
  });
});
