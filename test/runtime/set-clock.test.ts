import { NEVER, type OperatorFunction } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { decode, each, mapValues, rateLimit, retryWithBackoff, timeLimit } from '../../operators/index.ts';
import { retries } from '../../pipelines/index.ts';
import { type Delivery, type PipelineContext, pipeline } from '../../src/index.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { deadLetters, topics, words } from './words.ts';

const day = 86_400_000;

type Chain = (context: PipelineContext) => OperatorFunction<Delivery<string>, Delivery<string>>;

/** A pipeline of one operator, what came to its end, and a clock on the wall that can be set. */
interface Clocked {
  readonly driver: PipelineDriver;
  readonly ended: readonly string[];
  readonly setBy: (ms: number) => void;
}

async function clocked(chain: Chain): Promise<Clocked> {
  const ended: string[] = [];
  const watched = pipeline('clocked', context =>
    context.source(words).pipe(
      decode(words),
      chain(context),
      mapValues(word => void ended.push(word)),
      context.onFailure(),
    ),
  );
  const driver = await PipelineDriver.start({
    topics: { ...topics, 'cryptorun-retry': {} },
    pipelines: () => [watched, retries()],
  });
  const { scheduler } = driver;
  let wallMs = 10 * day;
  scheduler.now = () => scheduler.frame + wallMs;
  return { driver, ended, setBy: ms => (wallMs += ms) };
}

/** Fails at the first attempt at `b`. */
const once = (word: string, { attempt }: { readonly attempt: number }): string => {
  if (word === 'b' && attempt === 1) throw new Error('once');
  return word;
};

const fixed = { firstDelayMs: 1_000, jitter: 'none' } as const;

/** Each lets the second word go on after a second. */
const chains: readonly (readonly [string, Chain])[] = [
  ['a retry in memory', ({ scheduler }) => retryWithBackoff(once, { ...fixed, scheduler })],
  [
    'a retry by topic',
    ({ scheduler, publisher, state }) =>
      retryWithBackoff(once, { ...fixed, scheduler, through: { publisher, state } }),
  ],
  ['a rate limit', ({ scheduler }) => rateLimit({ perSecond: 1 }, { scheduler })],
];

describe('a clock that is set', () => {
  it.each(chains.flatMap(([name, chain]) => [day, -day].map(ms => [name, ms, chain] as const)))(
    'lets nobody wait longer or shorter in %s: by %i ms',
    async (_, ms, chain) => {
      const { driver, ended, setBy } = await clocked(chain);
      for (const word of ['a', 'b']) driver.give(words, word);
      driver.runFor(500);
      setBy(ms);
      driver.runFor(450);
      expect(ended).not.toContain('b');
      driver.runFor(200);
      expect(ended).toEqual(['a', 'b']);
    },
  );

  it.each(['memory', 'topic'] as const)(
    'lets nobody wait longer in a retry by %s than was meant at first, where the wait is read again',
    async by => {
      const { driver, ended, setBy } = await clocked(({ scheduler, publisher, state }) =>
        by === 'memory'
          ? retryWithBackoff(once, { ...fixed, scheduler, state })
          : retryWithBackoff(once, { ...fixed, scheduler, through: { publisher, state } }),
      );
      driver.give(words, 'b');
      driver.runFor(100);
      await driver.restart();
      setBy(-day);
      await driver.restart();
      driver.runFor(1_100);
      // What was acked behind the last snapshot comes again.
      expect(new Set(ended)).toEqual(new Set(['b']));
    },
  );

  it.each([day, -day])('leaves a limit of time as it is: by %i ms', async ms => {
    const { driver, setBy } = await clocked(({ scheduler }) =>
      timeLimit(
        each(() => NEVER, { scheduler }),
        { limitMs: 1_000, scheduler },
      ),
    );
    driver.give(words, 'a');
    driver.runFor(500);
    setBy(ms);
    driver.runFor(499);
    expect(driver.messages(deadLetters)).toEqual([]);
    driver.runFor(2);
    expect(driver.messages(deadLetters)).toHaveLength(1);
  });

  it.each([day, -day])('leaves the deadline of a drain as it is: by %i ms', async ms => {
    const { driver, setBy } = await clocked(({ scheduler }) => each(() => NEVER, { scheduler }));
    driver.give(words, 'a');
    const drained = driver.runtime.drain(1_000);
    driver.runFor(500);
    setBy(ms);
    const began = driver.scheduler.frame;
    await driver.during(drained);
    expect(driver.scheduler.frame - began).toBeGreaterThan(480);
    expect(driver.scheduler.frame - began).toBeLessThan(1_000);
  });
});
