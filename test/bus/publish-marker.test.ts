import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import {
  FaultInjector,
  Marker,
  createEventBus,
  ensureTopic,
  isMarker,
  jsonState,
  markerOf,
  pipeline,
  publishMarker,
  textCodec,
  topic,
} from '../../src/index.ts';
import { decode, publishTo, tumblingWindow } from '../../operators/index.ts';
import { PipelineDriver } from '../../src/testing/index.ts';

const letters = topic('letters', textCodec, { partitions: 3 });
const words = topic('words', textCodec);

const gathering = pipeline('gather', ({ source, publisher, onFailure, state }) =>
  source(letters).pipe(
    decode(letters, { markers: true }),
    tumblingWindow(
      {
        open: letter => ({ word: letter }),
        add: (window, letter) => {
          window.word += letter;
        },
        close: ({ word }, end, by, key) => `${key}: ${word} by ${end}${isMarker(by) ? '' : ', by a value'}`,
      },
      { sizeMs: 100, codec: jsonState('1', t.type({ word: t.string })), state },
    ),
    publishTo(words, publisher),
    onFailure(),
  ),
);

const start = (): Promise<PipelineDriver> =>
  PipelineDriver.start({
    topics: { letters: letters.settings, words: words.settings, 'cryptorun-dlq': {} },
    pipelines: () => [gathering],
  });

describe('publishMarker', () => {
  it('closes the windows of all partitions, and only those that end by its time', async () => {
    const driver = await start();
    driver.give(letters, 'a', { key: 'x', timestamp: 10, partition: 0 });
    driver.give(letters, 'b', { key: 'x', timestamp: 20, partition: 0 });
    driver.give(letters, 'c', { key: 'y', timestamp: 30, partition: 2 });
    driver.give(letters, 'd', { key: 'z', timestamp: 110, partition: 1 });
    expect(driver.values(words)).toEqual([]);
    await driver.during(publishMarker(driver.bus, letters, 101));
    expect(driver.values(words).sort()).toEqual(['x: ab by 100', 'y: c by 100']);
    expect((await driver.status('gather')).watermark).toBe(101);
    await driver.during(publishMarker(driver.bus, letters, new Marker('end', 110)));
    expect(driver.values(words).sort()).toEqual(['x: ab by 100', 'y: c by 100', 'z: d by 200']);
  });

  it('is told from values by those who read the output', async () => {
    const driver = await start();
    await driver.during(publishMarker(driver.bus, letters, 101));
    // Behind windows, whose results are older than what closes them.
    expect(driver.messages(words).map(markerOf)).toEqual([new Marker('time', 100)]);
    driver.give(words, 'no marker');
    expect(driver.messages(words).map(message => markerOf(message)?.time)).toEqual([100, undefined]);
  });

  it('refuses a time that is none, and a topic that is not there', async () => {
    const { bus } = await start();
    await expect(publishMarker(bus, letters, Number.NaN)).rejects.toMatchObject({ code: 'invalid-message' });
    await expect(publishMarker(bus, { name: 'nowhere' }, 1)).rejects.toMatchObject({
      code: 'topic-not-found',
    });
  });

  it('rejects where the bus could not store it', async () => {
    const faults = new FaultInjector();
    const bus = createEventBus({ kind: 'stub', faults });
    await bus.start();
    await ensureTopic(bus, letters);
    faults.failNextPublish('storage');
    await expect(publishMarker(bus, letters, 1)).rejects.toMatchObject({ code: 'storage' });
    await publishMarker(bus, letters, 1);
    await bus.stop();
  });
});
