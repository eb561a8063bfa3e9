import { describe, expect, it, onTestFinished } from 'vitest';
import { embeddedBus } from '../../src/bus/embedded/embedded.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { defaultTopicSettings } from '../../src/core/topic.ts';
import type { Acceptance } from '../../src/spill/acceptance.ts';
import { createSpillingPublisher } from '../../src/spill/create-spilling-publisher.ts';
import type { SpillEvent } from '../../src/spill/spill-event.ts';
import { RecordingMeter } from '../../src/testing/recording-meter.ts';
import { temporaryFolder } from './temporary-spill.ts';

const keys = 13;
const each = 300;

/** What a topic holds, key by key, each in the order in which it is read. */
async function storedByKey(bus: EventBus): Promise<Map<string | null, number[]>> {
  const byKey = new Map<string | null, number[]>();
  let count = 0;
  await bus.subscribe(
    'prices',
    ({ key, payload }) => {
      byKey.set(key, [...(byKey.get(key) ?? []), Number(String(payload))]);
      count++;
    },
    { group: 'reader' },
  );
  await expect.poll(() => count, { timeout: 10_000 }).toBe(keys * each);
  return byKey;
}

describe('a bus that is away for a publisher of your own', () => {
  it('gets all that was accepted once it is back, in the order of its keys', async () => {
    const bus = embeddedBus({ dir: temporaryFolder(), fsync: 'never' });
    await bus.start();
    onTestFinished(() => bus.stop());
    await bus.createTopic({ name: 'prices', settings: { ...defaultTopicSettings, partitions: 4 } });
    const meter = new RecordingMeter();
    const events: SpillEvent[] = [];
    const publisher = await createSpillingPublisher(bus, {
      dir: temporaryFolder(),
      meter,
      spillAfterMs: 10,
      backoff: { firstDelayMs: 5, maxDelayMs: 5 },
      report: event => events.push(event),
    });
    onTestFinished(() => publisher.close());
    const say = (n: number): Promise<Acceptance> =>
      publisher.publish({ topic: 'prices', key: `k${n % keys}`, payload: Buffer.from(String(n)) });
    const all = (from: number, to: number): Promise<Acceptance[]> =>
      Promise.all(Array.from({ length: to - from }, (_, at) => say(from + at)));
    const tags = (told: readonly Acceptance[]): Set<string> => new Set(told.map(({ tag }) => tag));

    const [third, whole] = [keys * (each / 3), keys * each];
    expect(tags(await all(0, third))).toEqual(new Set(['stored']));
    await bus.stop();
    expect(tags(await all(third, 2 * third))).toEqual(new Set(['spilled']));
    expect(meter.read('stream_spilled_messages')).toBe(third);
    expect(publisher.status()).toMatchObject({ isSpilling: true, spilled: third });
    // What comes while the folder is emptied goes behind it.
    const late = all(2 * third, whole);
    await bus.start();
    expect((await late).length).toBe(third);
    await expect.poll(() => meter.read('stream_spilled_messages'), { timeout: 10_000 }).toBe(0);

    const byKey = await storedByKey(bus);
    expect(byKey.size).toBe(keys);
    for (const [key, numbers] of byKey) {
      const first = Number(key?.slice(1));
      expect(numbers).toEqual(Array.from({ length: each }, (_, at) => first + at * keys));
    }
    expect(events.map(({ tag }) => tag).filter(tag => tag !== 'waiting')).toEqual(['spilling', 'drained']);
  });
});
