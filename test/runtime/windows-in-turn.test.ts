import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import {
  decode,
  dedupe,
  fanOut,
  filterValues,
  mapValues,
  publishTo,
  tumblingWindow,
} from '../../operators/index.ts';
import { jsonCodec, jsonState, markerOf, pipeline, textCodec, topic } from '../../src/index.ts';
import { readDeadLetter } from '../../src/core/dead-letter.ts';
import type { Message } from '../../src/core/message.ts';
import { provenance } from '../../src/core/provenance.ts';
import { PipelineDriver } from '../../src/testing/index.ts';

const settings = { partitions: 2 };
const readings = topic('readings', jsonCodec(t.number, { name: 'Reading' }), settings);
const minutes = topic('minutes', jsonCodec(t.number, { name: 'Minute' }), settings);
const pairs = topic('pairs', jsonCodec(t.number, { name: 'Pair' }), settings);
const letters = { name: 'cryptorun-dlq' };

const sum = {
  open: (value: number) => ({ sum: value }),
  add: (window: { sum: number }, value: number) => void (window.sum += value),
  close: (window: { sum: number }) => window.sum,
};
const codec = jsonState('1', t.type({ sum: t.number }));

/** Nothing says under which key and event time: windows do. */
const perMinute = (latenessMs = 0) =>
  pipeline('per-minute', ({ source, publisher, onFailure, state }) =>
    source(readings).pipe(
      decode(readings, { markers: true }),
      filterValues(value => value > 0),
      mapValues(value => value * 10),
      tumblingWindow(sum, { sizeMs: 60_000, latenessMs, codec, state }),
      publishTo(minutes, publisher),
      onFailure(),
    ),
  );
const perPair = pipeline('per-pair', ({ source, publisher, onFailure, state }) =>
  source(minutes).pipe(
    decode(minutes, { markers: true }),
    dedupe({ state }),
    tumblingWindow(sum, { sizeMs: 120_000, codec, state }),
    publishTo(pairs, publisher),
    onFailure(),
  ),
);

const sensors = ['attic', 'cellar', 'roof'];

const dataOf = (messages: readonly Message[]): Message[] =>
  messages.filter(message => markerOf(message) === undefined);
const lines = (messages: readonly Message[]): string[] =>
  dataOf(messages)
    .map(({ key, timestamp, payload }) => `${key} ${timestamp} ${String(payload)}`)
    .sort();

describe('a window behind a window', () => {
  it.each([0, 5_000])(
    'goes by the key and the end of the first, with a lateness of %d ms',
    async latenessMs => {
      const driver = await PipelineDriver.start({ pipelines: () => [perMinute(latenessMs), perPair] });
      for (const timestamp of [30_000, 60_000, 90_000])
        for (const key of sensors) driver.give(readings, 1, { key, timestamp });
      // What comes after markers that do not close a window yet is no surprise to the next pipeline.
      for (let time = 60_000; time <= 140_000; time += 1_000) driver.mark(readings, time);
      driver.runFor(1_000);
      expect(lines(driver.messages(minutes))).toEqual(
        sensors.flatMap(key => [`${key} 120000 10`, `${key} 60000 20`]),
      );
      expect(lines(driver.messages(pairs))).toEqual(sensors.map(key => `${key} 120000 30`));
    },
  );

  it('is told results apart, by ids that do not depend on what closed the window', async () => {
    const idsAfter = async (close: (driver: PipelineDriver) => void): Promise<string[]> => {
      const driver = await PipelineDriver.start({ pipelines: () => [perMinute()] });
      for (const key of sensors) driver.give(readings, 1, { key, timestamp: 30_000 });
      close(driver);
      driver.runFor(1_000);
      const results = dataOf(driver.messages(minutes)).filter(({ timestamp }) => timestamp === 60_000);
      return results.map(({ id }) => id).sort();
    };
    const byMarker = await idsAfter(driver => driver.mark(readings, 60_001));
    const byValues = await idsAfter(driver => {
      for (const key of sensors) driver.give(readings, 1, { key, timestamp: 61_000 });
    });
    expect(new Set(byMarker).size).toBe(3);
    expect(byValues).toEqual(byMarker);
  });
});

describe('what an operator makes of a message', () => {
  const words = topic('words', textCodec);
  const shouted = topic('shouted', textCodec);
  const shouting = pipeline('shouting', ({ source, publisher, onFailure }) =>
    source(words).pipe(
      decode(words),
      fanOut(text => text.split(' ')),
      mapValues(word => {
        if (word === 'bad') throw new Error('not in this house');
        return word.toUpperCase();
      }),
      publishTo(shouted, publisher),
      onFailure(),
    ),
  );

  it('has an id of its own, and the message as its cause', async () => {
    const driver = await PipelineDriver.start({ pipelines: () => [shouting] });
    driver.give(words, 'a b c', { key: 'k' });
    driver.give(words, 'd', { key: 'k' });
    driver.runFor(1);
    const [origin] = driver.messages(words);
    const outputs = driver.messages(shouted);
    expect(driver.values(shouted)).toEqual(['A', 'B', 'C', 'D']);
    expect(new Set(outputs.map(({ id }) => id)).size).toBe(4);
    const said = outputs
      .slice(0, 3)
      .map(({ headers }) => [headers.get(provenance.causation), headers.get(provenance.correlation)]);
    expect(said).toEqual(Array(3).fill([origin?.id, origin?.id]));
  });

  it('is buried as the message that it was made of', async () => {
    const driver = await PipelineDriver.start({ pipelines: () => [shouting] });
    driver.give(words, 'a bad one', { key: 'k', timestamp: 7, headers: { note: 'n' } });
    driver.runFor(1);
    const [letter] = driver.messages(letters).map(readDeadLetter);
    expect(driver.messages(letters)).toHaveLength(1);
    expect(String(letter?.payload)).toBe('a bad one');
    expect(letter).toMatchObject({ key: 'k', timestamp: 7, reason: 'not in this house', stage: 'mapValues' });
  });
});
