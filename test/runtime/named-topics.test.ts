import { describe, expect, it } from 'vitest';
import { decode, mapValues, publishTo } from '../../operators/index.ts';
import { Runtime, pipeline, textCodec, topic } from '../../src/index.ts';
import { virtualBus } from '../../src/testing/index.ts';

const words = topic('words', textCodec, { partitions: 3, maxMessageBytes: 4_000_000 });
const shouted = topic('shouted', textCodec, { partitions: 2, compaction: true });
const shouting = pipeline('shout', ({ source, publisher, onFailure }) =>
  source(words).pipe(
    decode(words),
    mapValues(word => word.toUpperCase()),
    publishTo(shouted, publisher),
    onFailure(),
  ),
);

/** The topics there are once the pipeline runs, with their settings. */
async function made(options: Parameters<typeof virtualBus>[0], running = shouting) {
  const { bus, scheduler } = virtualBus(options);
  const runtime = new Runtime([running], bus, { scheduler });
  await runtime.start();
  const infos = await Promise.all((await bus.listTopics()).map(name => bus.getTopicInfo(name)));
  runtime.stop();
  return new Map(infos.map(({ name, settings }) => [name, settings]));
}

describe('a runtime that starts', () => {
  it('makes the topics that its pipelines name, as they name them, and those for what fails', async () => {
    const topics = await made({});
    expect(topics.get('words')).toEqual(words.settings);
    expect(topics.get('shouted')).toEqual(shouted.settings);
    // Whatever is in the largest of them must fit.
    for (const name of ['cryptorun-dlq', 'cryptorun-quarantine'])
      expect(topics.get(name)).toMatchObject({ partitions: 1, maxMessageBytes: 4_000_000 });
  });

  it('leaves those that are there as they are', async () => {
    const topics = await made({ topics: { words: { partitions: 7 }, 'cryptorun-dlq': { partitions: 5 } } });
    expect(topics.get('words')?.partitions).toBe(7);
    expect(topics.get('cryptorun-dlq')?.partitions).toBe(5);
  });

  it('makes no topics of which only the name is known, and none for failures that go nowhere', async () => {
    const skipping = pipeline(
      'skip',
      ({ source, onFailure }) => source({ name: 'words' }).pipe(onFailure()),
      { onFailure: 'skip' },
    );
    await expect(made({}, skipping)).rejects.toMatchObject({ code: 'topic-not-found' });
    const topics = await made({ topics: { words: {} } }, skipping);
    for (const name of ['cryptorun-dlq', 'cryptorun-quarantine']) expect(topics.has(name)).toBe(false);
  });
});
