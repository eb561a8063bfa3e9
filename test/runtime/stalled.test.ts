import { NEVER, type OperatorFunction, map, mergeMap, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { decode, delayUntil, each, joinAsOf, publishTo, retryWithBackoff } from '../../operators/index.ts';
import {
  type BuildPipeline,
  type Delivery,
  type Pipeline,
  type PipelineContext,
  pipeline,
  textCodec,
  topic,
} from '../../src/index.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { shouted, topics, words } from './words.ts';

const stalledAfterMs = 60_000;
/** Nothing comes of it. */
const later = topic('later', textCodec);

type Step = (context: PipelineContext) => OperatorFunction<Delivery<string>, Delivery<string>>;

function saying(
  step: Step,
  options: { readonly stalledAfterMs?: number | false } = { stalledAfterMs },
): Pipeline {
  const build: BuildPipeline = context => {
    const { source, publisher, onFailure, scheduler } = context;
    return source(words).pipe(
      decode(words),
      step(context),
      publishTo(shouted, publisher, { scheduler }),
      onFailure(),
    );
  };
  return pipeline('say', build, options);
}

/** A driver of a pipeline with this step, which was given one word. */
async function given(of: Pipeline): Promise<PipelineDriver> {
  const driver = await PipelineDriver.start({ topics: { ...topics, later: {} }, pipelines: () => [of] });
  driver.give(words, 'hello', { key: 'k' });
  return driver;
}

/** Never answers the first so many times. */
function hanging(times: number): Step {
  let asked = 0;
  return () => each(word$ => word$.pipe(mergeMap(word => (asked++ < times ? NEVER : [word]))));
}

/** Takes so many ms for each word. */
function taking(ms: number): Step {
  return ({ scheduler }) =>
    each(word$ => word$.pipe(mergeMap(word => timer(ms, scheduler).pipe(map(() => word)))));
}

/** Waits for what is said of a time by `later`, too. */
const joining: Step = ({ scheduler, meter, table }) =>
  joinAsOf(table(later).pipe(decode(later, { name: 'decode-later', markers: true })), word => word, {
    scope: 'broadcast',
    meter,
    scheduler,
  });

const said = (driver: PipelineDriver): readonly unknown[] => driver.values(shouted);
async function restarts(driver: PipelineDriver): Promise<number | undefined> {
  const [status] = await driver.runtime.status();
  return status?.restarts;
}

describe('a pipeline whose handler never answers', () => {
  it('begins anew within twice the time, says which message it was, and goes on', async () => {
    const driver = await given(saying(hanging(1)));
    driver.runFor(stalledAfterMs - 1);
    expect(await restarts(driver)).toBe(0);
    driver.runFor(stalledAfterMs + 1);
    expect(driver.events).toContainEqual({
      kind: 'failed',
      pipeline: 'say',
      reason: expect.stringMatching(
        /^nothing was settled for 60 s with 1 in hand, the oldest of them words\[\d\]@0 key k: begun anew; see /,
      ) as string,
      retryInMs: 1_000,
    });
    driver.runFor(1_000);
    expect(said(driver)).toEqual(['hello']);
    expect(await restarts(driver)).toBe(1);
  });

  // Kills: new messages taken for progress: all that is in hand hangs, until the source has no credit left.
  it('begins anew though more is given to it all the time', async () => {
    const driver = await given(saying(hanging(10)));
    for (let i = 0; i < 10; i++) {
      driver.give(words, String(i), { key: 'k' });
      driver.runFor(15_000);
    }
    expect(await restarts(driver)).toBe(2);
  });

  // Kills: a look that is not taken again, because nothing new comes to the pipeline's own source.
  it('begins anew though its only message had long waited for the other side of a join', async () => {
    const hangs = hanging(1);
    const driver = await given(saying(context => word$ => word$.pipe(joining(context), hangs(context))));
    driver.runFor(10 * stalledAfterMs);
    expect(await restarts(driver)).toBe(0);
    driver.mark(later, Number.MAX_SAFE_INTEGER);
    driver.runFor(2 * stalledAfterMs);
    expect(await restarts(driver)).toBe(1);
  });

  it('does so after five minutes if nothing else is said, and never where that is wished', async () => {
    const usual = await given(saying(hanging(1), {}));
    usual.runFor(299_000);
    expect(await restarts(usual)).toBe(0);
    usual.runFor(2_000);
    expect(await restarts(usual)).toBe(1);
    const patient = await given(saying(hanging(1), { stalledAfterMs: false }));
    patient.runFor(86_400_000);
    expect(await restarts(patient)).toBe(0);
  });
});

describe('a pipeline does not begin anew', () => {
  const late = 10 * stalledAfterMs;
  const steps: Readonly<Record<string, Step>> = {
    'where a message waits for its time': ({ scheduler, meter }) =>
      delayUntil((_, { timestamp }) => timestamp + late, { scheduler, meter }),
    'where a message waits for the other side of a join': joining,
    'where a message waits to be tried again, and others behind it': ({ scheduler, meter }) =>
      retryWithBackoff(
        () => {
          throw new Error('not yet');
        },
        { retries: 1, firstDelayMs: late, maxDelayMs: late, jitter: 'none', order: 'key', scheduler, meter },
      ),
    'while it tries again': ({ scheduler, meter }) =>
      retryWithBackoff(
        () => {
          throw new Error('not yet');
        },
        { retries: 20, firstDelayMs: 50_000, maxDelayMs: 50_000, jitter: 'none', scheduler, meter },
      ),
  };

  it.each(Object.entries(steps))('%s', async (_, step) => {
    const driver = await given(saying(step));
    driver.runFor(late - 1_000);
    expect([await restarts(driver), said(driver)]).toEqual([0, []]);
    expect(await driver.runtime.status()).toMatchObject([{ inFlight: 1 }]);
  });

  it('where its handler is slow, and gets on', async () => {
    const driver = await given(saying(taking(50_000)));
    for (let i = 0; i < 5; i++) driver.give(words, String(i), { key: 'k' });
    driver.runFor(310_000);
    expect([await restarts(driver), said(driver)]).toEqual([0, ['hello', '0', '1', '2', '3', '4']]);
  });

  it('while it drains', async () => {
    const driver = await given(saying(taking(150_000)));
    const drained = driver.runtime.drain(200_000);
    driver.runFor(200_000);
    expect(await drained).toMatchObject([{ reason: 'finished' }]);
    expect(said(driver)).toEqual(['hello']);
  });
});
