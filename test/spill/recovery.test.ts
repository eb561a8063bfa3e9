import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageHeaders } from '../../src/core/headers.ts';
import { type OutgoingMessage, messageId } from '../../src/core/message.ts';
import type { SpillOptions } from '../../src/spill/spill-options.ts';
import { type Spill, openedSpill, temporaryFolder, text, textOf } from './temporary-spill.ts';

process.env['SPILL_RECOVERY_KEY'] = 'Qk1'.repeat(14) + 'A=';
const ways: [string, Partial<SpillOptions>][] = [
  ['plain', {}],
  ['sealed', { encryptionKey: { env: 'SPILL_RECOVERY_KEY' } }],
];

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, at) => String(from + at));

/** A folder with these messages spilled, as a process that is killed leaves it. */
async function leftBehind(
  options: Partial<SpillOptions>,
  messages: readonly OutgoingMessage[],
): Promise<string> {
  const { broker, send, runFor, dir } = await openedSpill({ memoryMessages: 1, ...options });
  broker.goAway();
  for (const message of messages) {
    send(message);
    await runFor(0);
  }
  return copyOf(dir);
}

function copyOf(dir: string): string {
  const copy = temporaryFolder();
  cpSync(dir, copy, { recursive: true });
  rmSync(join(copy, 'owner.lock'), { force: true });
  return copy;
}

/** What is left of a folder once it is opened and drained. */
async function drained(dir: string, options: Partial<SpillOptions>): Promise<Spill> {
  const spill = await openedSpill({ ...options, dir });
  await spill.runFor(10_000);
  expect(spill.publisher.status().isSpilling).toBe(false);
  return spill;
}

const segmentsIn = (dir: string): string[] =>
  readdirSync(join(dir, 'messages'))
    .filter(name => name.endsWith('.log'))
    .sort()
    .map(name => join(dir, 'messages', name));

function flipBit(path: string, at: number): void {
  const content = readFileSync(path);
  content[at]! ^= 1;
  writeFileSync(path, content);
}

const headerValue = fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 20 }));
const anyMessage: fc.Arbitrary<OutgoingMessage> = fc.record(
  {
    topic: fc.stringMatching(/^[a-z.-]{1,20}$/),
    key: fc.option(fc.string({ unit: 'grapheme' })),
    payload: fc.option(fc.uint8Array({ maxLength: 300 })),
    headers: fc
      .array(fc.tuple(fc.string({ unit: 'grapheme' }), headerValue), { maxLength: 5 })
      .map(pairs => MessageHeaders.of(pairs)),
    timestamp: fc.double({ noNaN: true, noDefaultInfinity: true }),
    id: fc.oneof(fc.stringMatching(/^[0-9a-f]{32}$/), fc.string({ unit: 'grapheme' })).map(messageId),
    partition: fc.nat(),
    patient: fc.constant(true),
    reserved: fc.constant(true),
    lasting: fc.constant(true),
  },
  { requiredKeys: ['topic', 'key', 'payload', 'headers', 'timestamp', 'id'] },
);

/** What a test compares: everything, in a fixed order, bytes as plain arrays. */
function plain({
  topic,
  key,
  payload,
  headers,
  timestamp,
  id,
  partition,
  patient,
  reserved,
  lasting,
}: OutgoingMessage): string {
  const flat = headers?.toFlat().map(part => (typeof part === 'string' ? part : [...part]));
  const bytes = payload === null ? null : [...payload];
  return JSON.stringify([id, topic, key, bytes, flat, timestamp, partition, patient, reserved, lasting]);
}

describe.for(ways)('a %s folder', ([, options]) => {
  it('gives back every message as it was', () =>
    fc.assert(
      fc.asyncProperty(fc.array(anyMessage, { minLength: 1, maxLength: 40 }), async messages => {
        const { broker, send, runFor } = await openedSpill({ ...options, memoryMessages: 1, maxInFlight: 1 });
        broker.goAway();
        messages.forEach(send);
        await runFor(0);
        broker.comeBack();
        await runFor(20_000);
        expect(broker.stored.map(plain).sort()).toEqual(messages.map(plain).sort());
      }),
      { numRuns: 30 },
    ));

  it('cut off anywhere loses only what was not whole', async () => {
    const dir = await leftBehind(
      options,
      numbers(0, 6).map(n => text(n)),
    );
    const [path = ''] = segmentsIn(dir);
    const whole = statSync(path).size;
    let before = 0;
    for (let size = 0; size <= whole; size += size < whole - 40 ? 17 : 1) {
      const copy = copyOf(dir);
      truncateSync(segmentsIn(copy)[0] ?? '', size);
      const { broker } = await drained(copy, options);
      expect(broker.texts).toEqual(numbers(0, broker.texts.length));
      expect(broker.texts.length).toBeGreaterThanOrEqual(before);
      before = broker.texts.length;
    }
    expect(before).toBe(6);
  });

  it('with a damaged record sets it aside, reports it, and delivers the rest', async () => {
    const dir = await leftBehind(
      { ...options, maxBytes: 20_000 },
      numbers(0, 90).map(n => text(n)),
    );
    const paths = segmentsIn(dir);
    expect(paths.length).toBeGreaterThan(2);
    const path = paths[1] ?? '';
    flipBit(path, 60);
    const { broker, events } = await drained(dir, options);
    expect(broker.texts.length).toBe(89);
    expect(broker.texts).toEqual(numbers(0, 90).filter(n => broker.texts.includes(n)));
    expect(events.filter(({ tag }) => tag === 'unreadable')).toMatchObject([{ path }]);
    expect(readdirSync(join(dir, 'messages')).filter(name => name.includes('corrupt'))).toHaveLength(1);
  });

  it('with a damaged position sends again what may not have arrived, and reports it', async () => {
    const first = await openedSpill({ ...options, memoryMessages: 20 });
    first.broker.goAway();
    for (const n of numbers(0, 50)) first.send(text(n));
    await first.runFor(0);
    first.broker.comeBack();
    first.broker.isSlow = true;
    for (let i = 0; i < 20; i++) {
      await first.runFor(150);
      first.broker.answerAll();
    }
    const done = first.broker.stored.length;
    expect(done).toBeGreaterThan(5);
    const sound = copyOf(first.dir);
    expect((await drained(sound, options)).broker.texts.length).toBeLessThanOrEqual(51 - done);
    const dir = copyOf(first.dir);
    flipBit(join(dir, 'position'), 3);
    flipBit(join(dir, 'position'), 27);
    const { broker, events } = await drained(dir, options);
    expect(broker.texts).toEqual(numbers(0, 50));
    expect(events[0]).toMatchObject({ tag: 'unreadable', path: join(dir, 'position') });
  });

  it('that lost its end but not its position delivers what comes next', async () => {
    const dir = await leftBehind(
      options,
      numbers(0, 30).map(n => text(n)),
    );
    const copy = copyOf(dir);
    const { dir: emptied } = await drained(dir, options);
    cpSync(join(emptied, 'position'), join(copy, 'position'));
    truncateSync(segmentsIn(copy).at(-1) ?? '', 300);
    const second = await openedSpill({ ...options, dir: copy, memoryMessages: 1 });
    second.broker.goAway();
    for (const n of numbers(30, 40)) second.send(text(n));
    await second.runFor(0);
    const { broker } = await drained(copyOf(copy), options);
    expect(broker.texts).toEqual(numbers(30, 40));
  });
});

it('what was set aside is not sent when the position did not get as far', async () => {
  const dir = await leftBehind(
    {},
    numbers(0, 5).map(n => text(n)),
  );
  const before = copyOf(dir);
  const first = await openedSpill({ dir });
  first.broker.answer = message => (textOf(message) === '4' ? 'stored' : 'topic-not-found');
  await first.runFor(1000);
  expect([...first.publisher.refused()]).toHaveLength(4);
  cpSync(join(dir, 'refused'), join(before, 'refused'), { recursive: true });
  const { broker, publisher } = await drained(before, {});
  expect([broker.texts, [...publisher.refused()].length]).toEqual([['4'], 4]);
});
