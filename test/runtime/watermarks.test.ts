import { asyncScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { FaultInjector, Marker, type PipelineOptions } from '../../src/index.ts';
import { MessageHeaders } from '../../src/core/headers.ts';
import { markerMessage, markerOf } from '../../src/core/marker.ts';
import { type Message, type OutgoingMessage, messageId, offset, partition } from '../../src/core/message.ts';
import type { Publisher } from '../../src/core/publisher.ts';
import { Watermarks } from '../../src/runtime/watermarks.ts';
import { PipelineDriver, type PipelineDriverOptions } from '../../src/testing/index.ts';
import { committed, counting, shouted, shouting, slowly, topics, words } from './words.ts';

/** What a partition of the output holds: words, and markers as their kind and time. */
function written(driver: PipelineDriver, partition = 0): string[] {
  return driver
    .messages(shouted)
    .filter(message => message.partition === partition)
    .map(message => {
      const marker = markerOf(message);
      if (marker === undefined) return Buffer.from(message.payload ?? []).toString();
      return `${marker.kind} ${marker.time}${marker.feed === undefined ? '' : ` ${marker.feed}`}`;
    });
}

const start = (
  options: PipelineOptions = {},
  rest: Partial<PipelineDriverOptions> = {},
): Promise<PipelineDriver> => PipelineDriver.start({ topics, pipelines: () => [shouting(options)], ...rest });

/** A message as it would be stored there. */
function storedAt(
  at: number,
  { topic, partition: index = 0, timestamp = 0, ...rest }: OutgoingMessage,
): Message {
  const { key, payload, headers = MessageHeaders.empty } = rest;
  const place = { topic, partition: partition(index), offset: offset(at) };
  return { ...place, id: messageId('m'), key, payload, headers, timestamp, logTime: 0 };
}

interface Member {
  readonly marks: Watermarks;
  readonly said: readonly string[];
  /** A marker comes in a partition, and all before it is settled. */
  readonly mark: (partition: number, marker: Marker) => void;
}

/** The watermark of a member that has some of four partitions; what it says goes to one partition, as text. */
function ofMember(): Member {
  const said: string[] = [];
  const publisher: Publisher = {
    partitionsOf: topic => (topic === 'in' ? 4 : 1),
    send: message => {
      const { kind, time, parts } = markerOf(storedAt(0, message)) ?? {};
      said.push(`${kind} ${time} for ${parts?.covered.join() ?? 'all'}`);
    },
  };
  const [inputs, outputs] = [new Set(['in']), new Set(['out'])];
  const marks = new Watermarks(publisher, { inputs, outputs, delayMs: () => 0, scheduler: asyncScheduler });
  let next = 0;
  const mark = (index: number, marker: Marker): void => {
    marks.see(storedAt(next++, markerMessage('in', index, marker)), marker, false);
    marks.settled('in', index, next);
  };
  return { marks, said, mark };
}

describe('watermarks', () => {
  // Kills: parts that had ended, and for which the last that was said is how far one had come that has gone.
  it('say anew how far those have come that are left, where one goes that was behind', () => {
    const { marks, said, mark } = ofMember();
    const places = [0, 1, 2].map(index => ({ topic: 'in', partition: index }));
    marks.assign(places);
    mark(0, new Marker('end', 30));
    mark(1, new Marker('end', 30));
    mark(2, new Marker('time', 15));
    expect(said).toEqual(['end 30 for 0', 'end 30 for 0,1', 'time 15 for 0,1,2']);
    marks.revoked(places.slice(2));
    expect(said.slice(3)).toEqual(['end 30 for 0,1']);
    marks.stop();
    marks.revoked(places.slice(1, 2));
    marks.revoked(places.slice(0, 1));
    expect(said).toHaveLength(4);
  });

  it('go to every partition of the output, once every partition of the input has passed', async () => {
    const driver = await start();
    driver.mark(words, 10, 0);
    expect(written(driver)).toEqual([]);
    expect((await driver.status('shout')).watermark).toBeUndefined();
    driver.mark(words, 20, 1);
    expect(written(driver, 0)).toEqual(['time 10']);
    expect(written(driver, 1)).toEqual(['time 10']);
    driver.mark(words, 30, 0);
    driver.mark(words, 30, 0);
    expect(written(driver)).toEqual(['time 10', 'time 20']);
    expect((await driver.status('shout')).watermark).toBe(20);
  });

  // Kills: messages acked before their markers are seen.
  it('move on, too, where messages are acked before they are handled', async () => {
    const driver = await start({ guarantee: 'at-most-once' });
    driver.mark(words, 10);
    expect(written(driver)).toEqual(['time 10']);
  });

  // Kills: markers forwarded when they are delivered and not when everything before them is settled.
  it('wait until everything before their markers is settled', async () => {
    const driver: PipelineDriver = await PipelineDriver.start({
      topics,
      pipelines: () => [
        shouting(
          {},
          slowly(() => driver, 100),
        ),
      ],
    });
    driver.give(words, 'a', { key: 'a', timestamp: 5, partition: 0 });
    driver.mark(words, 10);
    driver.runFor(50);
    driver.give(words, 'b', { key: 'b', timestamp: 15, partition: 0 });
    driver.mark(words, 20);
    driver.runFor(49);
    expect([...written(driver, 0), ...written(driver, 1)]).toEqual([]);
    const markers = (): string[] => written(driver, 1).filter(line => line.startsWith('time'));
    driver.runFor(10);
    expect(markers()).toEqual(['time 10']);
    expect((await driver.status('shout')).watermark).toBe(10);
    driver.runFor(100);
    expect(markers()).toEqual(['time 10', 'time 20']);
  });

  it('stay behind by the delay that a pipeline states, or are not written', async () => {
    const late = await start({ watermarkDelayMs: 2_001 });
    late.mark(words, 60_000);
    late.mark(words, new Marker('end', 61_000));
    expect(written(late)).toEqual(['time 57999', 'end 61000']);
    const none = await start({ watermarkDelayMs: false });
    none.mark(words, 60_000);
    expect(written(none)).toEqual([]);
    expect((await none.status('shout')).watermark).toBe(60_000);
  });

  it('say that a feed ended, or carries nothing, where all partitions say so', async () => {
    const driver = await start();
    driver.mark(words, new Marker('absent', 0, 'bars'), 0);
    driver.mark(words, 10, 1);
    driver.mark(words, new Marker('absent', 0, 'bars'), 1);
    expect(written(driver)).toEqual(['time 10', 'absent 0 bars']);
    driver.mark(words, new Marker('end', 20), 1);
    expect(written(driver).at(-1)).toBe('end 20');
    // A feed that begins again is waited for again.
    driver.mark(words, 30);
    expect(written(driver).at(-1)).toBe('time 30');
  });

  it('go on where they were after a restart, though one partition has nothing more to say', async () => {
    const driver = await start();
    driver.mark(words, new Marker('end', 50), 0);
    expect(await committed(driver, 'shout')).toEqual([0, 0]);
    await driver.restart();
    driver.mark(words, new Marker('end', 50), 1);
    expect(written(driver)).toEqual(['end 50']);
    expect(await committed(driver, 'shout')).toEqual([1, 1]);
    await driver.restart();
    driver.runFor(10);
    expect(written(driver)).toEqual(['end 50']);
  });

  it('go on where they were after a restart from a snapshot', async () => {
    const driver = await start({}, { pipelines: () => [counting()], runtime: { snapshotIntervalMs: 1_000 } });
    driver.mark(words, new Marker('end', 50), 0);
    driver.give(words, 'a', { key: 'k', timestamp: 1, partition: 1 });
    driver.runFor(1_000);
    expect((await driver.status('count')).snapshots).toBe(1);
    expect(await committed(driver, 'count')).toEqual([1, 1]);
    await driver.restart();
    driver.mark(words, new Marker('end', 50), 1);
    expect(written(driver).filter(line => line.startsWith('end'))).toEqual(['end 50']);
  });

  it('are written again where the broker lost one', async () => {
    const faults = new FaultInjector();
    const driver = await start({}, { faults });
    driver.mark(words, 10, 0);
    faults.delayNextPublish(0);
    faults.failNextPublish();
    driver.mark(words, 10, 1);
    driver.runFor(1);
    expect([...written(driver, 0), ...written(driver, 1)]).toHaveLength(1);
    expect(await committed(driver, 'shout')).toEqual([0, 0]);
    driver.runFor(1_000);
    expect(written(driver, 0)).toContain('time 10');
    expect(written(driver, 1)).toContain('time 10');
    expect(await committed(driver, 'shout')).toEqual([1, 1]);
  });
});
