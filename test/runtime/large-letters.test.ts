import { describe, expect, it } from 'vitest';
import { decode, mapValues, publishTo, retryWithBackoff } from '../../operators/index.ts';
import { type Pipeline, defaultTopicSettings, pipeline } from '../../src/index.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { deadLetters, shouted, topics, words } from './words.ts';

const mebibyte = 1024 ** 2;
const reason = 'no '.repeat(mebibyte);

/** Fails at every word with a reason of megabytes, and says so in all dialects. */
function complaining(retries: number): Pipeline {
  const fail = (): string => {
    throw new Error(reason);
  };
  return pipeline('complain', ({ source, publisher, state, scheduler, onFailure }) =>
    source(words).pipe(
      decode(words, { scheduler }),
      retries === 0
        ? mapValues(fail, { scheduler })
        : retryWithBackoff(fail, { retries, scheduler, through: { publisher, state } }),
      publishTo(shouted, publisher, { scheduler }),
      onFailure({ alsoAs: ['spring-kafka', 'kafka-connect'] }),
    ),
  );
}

describe('a message as large as its topic takes', () => {
  const key = 'k'.repeat(1_000);
  const own = { first: 'x'.repeat(mebibyte / 2), second: 'x'.repeat(mebibyte / 2 - 1_000 - 11) };
  const payload = Buffer.alloc(mebibyte, 7);

  it('becomes a dead letter with all that it had, its reason cut', async () => {
    const driver = await PipelineDriver.start({ topics, pipelines: () => [complaining(0)] });
    driver.giveBytes(words, payload, { key, headers: own });
    driver.runFor(1);
    const [letter] = driver.messages(deadLetters);
    expect(letter?.payload?.length).toBe(mebibyte);
    expect(letter?.key).toBe(key);
    expect(letter?.headers.get('first')).toBe(own.first);
    expect(letter?.headers.get('second')).toBe(own.second);
    expect(letter?.headers.get('x-dlq-reason')).toMatch(/characters more\)$/);
    expect(await driver.status('complain')).toMatchObject({ deadLettered: 1, lag: 0, problem: undefined });
    // One more character is refused by the topic itself.
    expect(() => driver.giveBytes(words, payload, { key: `${key}k`, headers: own })).toThrow(
      'put what is large into the payload',
    );
  });

  it('goes round through the retry topic too', async () => {
    const driver = await PipelineDriver.start({
      topics: { ...topics, 'cryptorun-retry': {} },
      pipelines: () => [complaining(1)],
    });
    driver.giveBytes(words, payload, { key, headers: own });
    driver.runFor(1);
    const [waiting] = driver.messages({ name: 'cryptorun-retry' });
    expect(waiting?.payload?.length).toBe(mebibyte);
    expect(waiting?.headers.get('second')).toBe(own.second);
    expect(await driver.status('complain')).toMatchObject({ deadLettered: 0, lag: 0 });
  });
});

describe('a dead letter that is larger than its topic takes', () => {
  it('is held, says which limit to raise, and is stored once the topic takes it', async () => {
    const small = { ...topics, [deadLetters.name]: { maxMessageBytes: 10 } };
    const driver = await PipelineDriver.start({ topics: small, pipelines: () => [complaining(0)] });
    driver.give(words, 'a'.repeat(11), { key: 'k' });
    driver.give(words, 'b', { key: 'k' });
    driver.runFor(60_000);
    const { problem, lag } = await driver.status('complain');
    expect(problem).toBe(
      'deadLetter waits, and the pipeline with it: cryptorun-dlq: a payload of 11 bytes, the limit is 10: make it smaller or raise maxMessageSize',
    );
    expect(lag).toBe(2);
    await driver.bus.deleteTopic(deadLetters.name);
    await driver.bus.createTopic({ name: deadLetters.name, settings: defaultTopicSettings });
    driver.runFor(60_000);
    expect(driver.messages(deadLetters).map(({ payload }) => String(payload))).toEqual(['a'.repeat(11), 'b']);
    expect(await driver.status('complain')).toMatchObject({ problem: undefined, lag: 0, deadLettered: 2 });
  });
});
