import { describe, expect, it } from 'vitest';
import { decode, publishTo, retryWithBackoff } from '../../operators/index.ts';
import { type Pipeline, BusError, pipeline } from '../../src/index.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { deadLetters, shouted, topics, words } from './words.ts';

const retryTopic = 'cryptorun-retry';

/** A word that begins with `!` fails; each call is noted. */
function trying(calls: string[], through: 'memory' | 'topic'): Pipeline {
  return pipeline('try', ({ source, publisher, state, scheduler, onFailure }) => {
    const handle = (word: string): string => {
      calls.push(word);
      if (word.startsWith('!')) throw new Error('not in this house');
      return word;
    };
    const options = { scheduler, jitter: 'none' as const, retries: through === 'memory' ? 0 : 3 };
    const tried = retryWithBackoff(
      handle,
      through === 'memory' ? options : { ...options, through: { publisher, state } },
    );
    return source(words).pipe(
      decode(words, { scheduler }),
      tried,
      publishTo(shouted, publisher, { scheduler }),
      onFailure(),
    );
  });
}

/** A driver of it; until `back` is called the bus takes nothing for one topic. */
async function without(
  topic: string,
  through: 'memory' | 'topic',
): Promise<{ driver: PipelineDriver; calls: string[]; back: () => void }> {
  const calls: string[] = [];
  const driver = await PipelineDriver.start({
    topics: { ...topics, [retryTopic]: {} },
    pipelines: () => [trying(calls, through)],
  });
  const { bus } = driver;
  const send = bus.send.bind(bus);
  bus.send = (message, done) => {
    if (message.topic !== topic) send(message, done);
    else done(new BusError('publish-timeout', 'no broker answers'), undefined);
  };
  return { driver, calls, back: () => void (bus.send = send) };
}

const say = (driver: PipelineDriver, all: readonly string[]): void => {
  for (const word of all) driver.give(words, word, { key: 'k' });
};
const textsIn = (driver: PipelineDriver, name: string): string[] =>
  driver.messages({ name }).map(({ payload }) => String(payload));

describe('a pipeline that cannot reach', () => {
  it('its dead letters says that it waits, drops nothing, and handles nothing again', async () => {
    const { driver, calls, back } = await without(deadLetters.name, 'memory');
    say(driver, ['a', '!b', '!c', 'd']);
    driver.runFor(300_000);
    const problem = 'deadLetter waits, and the pipeline with it: no broker answers';
    expect(await driver.status('try')).toMatchObject({ problem, deadLettered: 0, phase: 'running', lag: 3 });
    back();
    driver.runFor(10_000);
    expect(textsIn(driver, deadLetters.name)).toEqual(['!b', '!c']);
    expect(driver.values(shouted)).toEqual(['a', 'd']);
    expect(calls).toEqual(['a', '!b', '!c', 'd']);
    expect(await driver.status('try')).toMatchObject({ problem: undefined, deadLettered: 2, lag: 0 });
  });

  it('its retry topic says that it waits, and stores what failed in its order', async () => {
    const { driver, calls, back } = await without(retryTopic, 'topic');
    say(driver, ['!a', '!b', 'c']);
    driver.runFor(300_000);
    const problem = 'retryWithBackoff waits, and the pipeline with it: no broker answers';
    expect(await driver.status('try')).toMatchObject({ problem, deadLettered: 0, phase: 'running' });
    expect(calls).toEqual(['!a']); // the key waits behind the first
    back();
    driver.runFor(10_000);
    expect(textsIn(driver, retryTopic)).toEqual(['!a', '!b', 'c']);
    expect(await driver.status('try')).toMatchObject({ problem: undefined, lag: 0 });
  });

  it('room for its dead letters says that it waits, drops none for another, and goes on when there is room', async () => {
    const calls: string[] = [];
    const driver = await PipelineDriver.start({
      topics: { ...topics, [deadLetters.name]: { retentionMs: 3_600_000 } },
      maxPartitionBytes: 64 * 1024,
      pipelines: () => [trying(calls, 'memory')],
    });
    const all = Array.from({ length: 200 }, (_, n) => `!${n}`);
    say(driver, all);
    driver.runFor(60_000);
    const held = textsIn(driver, deadLetters.name);
    expect(held.length).toBeGreaterThan(100);
    expect(held).toEqual(all.slice(0, held.length));
    const { problem, lag, deadLettered } = await driver.status('try');
    expect(problem).toMatch(
      /^deadLetter waits, and the pipeline with it: cryptorun-dlq\[0\] stayed full .* no dead letter is dropped/,
    );
    expect([deadLettered, lag]).toEqual([held.length, 200 - held.length]);
    driver.runFor(3_640_000);
    expect(textsIn(driver, deadLetters.name)).toEqual(all.slice(held.length));
    expect(await driver.status('try')).toMatchObject({ problem: undefined, deadLettered: 200, lag: 0 });
    expect(calls).toEqual(all);
  });
});
