// As a user of the published package writes JavaScript: by the package's name, and nothing but its exports.
import assert from 'node:assert/strict';
import { createEventBus, pipeline, run, textCodec, topic } from 'cryptorun-streams';
import { decode, mapValues, publishTo } from 'cryptorun-streams/operators';
import { marketPipelines, marketTopics } from 'cryptorun-streams/pipelines';
import { deliveryTest } from 'cryptorun-streams/testing';

const words = topic('words', textCodec);
const loud = topic('loud', textCodec);

const shout = pipeline('shout', ({ source, publisher, onFailure }) =>
  source(words).pipe(
    decode(words),
    mapValues(word => word.toUpperCase()),
    publishTo(loud, publisher),
    onFailure(),
  ),
);

const bus = createEventBus({ kind: 'stub' });
await bus.start();
await bus.createTopic(words);
await bus.createTopic(loud);
const runtime = await run([shout], bus);
await bus.publish({ topic: 'words', key: null, payload: words.codec.encode('hello') });
await runtime.drain(5_000);
const { partitions } = await bus.getTopicInfo('loud');
assert.equal(partitions[0].nextOffset, 1);
await bus.stop();

deliveryTest(({ hot, expectDeliveries }) => {
  expectDeliveries(hot('-a|').pipe(mapValues(letter => letter + letter))).toBe('-a|', { a: 'aa' });
});

assert.equal(marketPipelines().length, 7);
assert.ok(Object.keys(marketTopics).length > 0);
await assert.rejects(import('cryptorun-streams/dist/src/core/settlement.js'), {
  code: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
});
