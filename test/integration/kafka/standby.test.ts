import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import type { KafkaDriverName } from '../../../src/bus/kafka/kafka-options.ts';
import type { Guarantee } from '../../../src/runtime/pipeline.ts';
import { type StartedProcess, started } from '../../worker/started-process.ts';
import { describeKafka, kafkaBrokers, onEach } from './kafka-brokers.ts';
import { newTopic, readAll, startedBus, textOf } from './running-bus.ts';

const child = fileURLToPath(new URL('./standby-child.ts', import.meta.url));
const patiently = { timeout: 60_000, interval: 200 };
const partitions = 4;
const keys = 2_000;

interface Told {
  readonly restored: number;
  readonly warm: number;
  readonly lag: number;
  readonly bytes: number;
  readonly keys: number;
}

/** What a worker said last. */
function told(worker: StartedProcess): Partial<Told> {
  const lines = worker.output().split('\n').slice(0, -1);
  const line = lines.findLast(text => text.startsWith('{"restored"'));
  return line === undefined ? {} : (JSON.parse(line) as Told);
}

async function publish(bus: EventBus, topic: string, from: number, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, i) => from + i);
  for (const result of await bus.publishBatch(
    numbers.map(number => ({ topic, key: `k${number % keys}`, payload: Buffer.from(`${number}`) })),
  ))
    expect(result).toMatchObject({ ok: true });
}

describeKafka('a worker that keeps the state of another warm', () => {
  const about = 'reads only the rest of it when that is killed, %s';
  it.each(['at-least-once', 'exactly-once'] as const)(about, { timeout: 240_000 }, async guarantee => {
    await onEach(driver => takesOverWarm(driver, guarantee));
  });
});

async function takesOverWarm(driver: KafkaDriverName, guarantee: Guarantee): Promise<void> {
  const bus = await startedBus({ brokers: kafkaBrokers() });
  const [from, to] = [await newTopic(bus, { partitions }), await newTopic(bus, { partitions })];
  const name = `warm-${randomUUID().slice(0, 8)}`;
  const work = (): StartedProcess => started(child, kafkaBrokers().join(), driver, name, from, to, guarantee);
  const [survivor, owner] = [work(), work()];
  const both = [survivor, owner];
  // Each has half of the partitions, and copies the other's.
  await expect.poll(() => both.map(worker => told(worker).warm), patiently).toEqual([2, 2]);
  await publish(bus, from, 0, 3 * keys);
  await expect
    .poll(() => both.reduce((sum, worker) => sum + (told(worker).keys ?? 0), 0), patiently)
    .toBe(keys);
  // A key takes about 200 bytes and more: the copy holds what the other knows.
  const isWarm = (): boolean => (told(survivor).bytes ?? 0) > 100 * (told(owner).keys ?? 0);
  await expect.poll(isWarm, patiently).toBe(true);
  // A state for each key, and the ends of snapshots: what was counted last may be stored a moment later.
  const stored = async (): Promise<number> => (await readAll(bus, `cryptorun-${name}-changelog`)).length;
  await expect.poll(stored, patiently).toBeGreaterThan(keys);
  const changelog = await stored();
  const before = told(survivor).restored ?? 0;

  owner.kill('SIGKILL');
  await publish(bus, from, 3 * keys, keys);
  await expect.poll(() => told(survivor).keys, patiently).toBe(keys);
  const read = (told(survivor).restored ?? 0) - before;
  // Two partitions of four were taken over: cold, about half of the changelog would have been read.
  expect(read, driver).toBeLessThan(changelog / 20);

  const counted = async (): Promise<Map<number, number>> => {
    const outputs = (await readAll(bus, to)).flatMap(({ payload }) => textOf(payload) ?? []);
    return new Map(
      outputs.map(text => {
        const { number, count } = JSON.parse(text) as { number: number; count: number };
        return [number, count];
      }),
    );
  };
  await expect.poll(async () => (await counted()).size, patiently).toBe(4 * keys);
  const wrong = [...(await counted())].filter(([number, count]) => count !== Math.floor(number / keys) + 1);
  expect({ driver, wrong }).toEqual({ driver, wrong: [] });
  survivor.kill('SIGTERM');
  expect(await survivor.ended, survivor.output()).toBe(0);
}
