import { type Observable, delay, of } from 'rxjs';
import { circuitBreaker, fence, retryWithBackoff } from '../../../operators/index.ts';
import type { Bytes, Message } from '../../core/message.ts';
import type { Pipeline, PipelineContext } from '../../runtime/pipeline.ts';
import { chance } from './chance.ts';
import { isPoison } from './poisoned-feed.ts';

/** One message in so many fails at its first attempt. */
const failsOneIn = 5_000;
/** Shorter than what a real message waits over its retries: all of them come through. */
const outageMs = 150;
const retries = 3;
/** Long enough to be seen; poison that waits behind the circuit opens it again and again. */
const coolDownMs = 500;
/** How long a slow pipeline takes for each message. */
const slowMs = 20;

/**
 * The pipeline with trouble at its entrance, and with what helps against it: now and then the first attempt at a
 * message fails; poison fails at every attempt, and with its last one brings a short outage in which everything
 * fails. Dead letters of poison in a row open the circuit. No real message fails more often than it is retried.
 *
 * @param isSlow each message takes its time, as with a slow sink
 */
export function failing(pipeline: Pipeline, seed: string, isSlow: boolean): Pipeline {
  const build = (context: PipelineContext): ReturnType<Pipeline['build']> => {
    const { scheduler, meter, circuitChanged } = context;
    const trouble = new Trouble(`${seed}/${pipeline.name}`, () => scheduler.now());
    const handle = (payload: Bytes, { message, attempt }: Try): Bytes | Observable<Bytes> => {
      trouble.meet(message, attempt);
      return isSlow ? of(payload).pipe(delay(slowMs, scheduler)) : payload;
    };
    const guarded = circuitBreaker(
      retryWithBackoff(handle, {
        name: 'retry',
        retries,
        jitter: 'none',
        concurrency: 1024,
        scheduler,
        meter,
      }),
      { name: 'circuit', coolDownMs, maxCoolDownMs: coolDownMs, scheduler, meter, onChange: circuitChanged },
    );
    return pipeline.build({
      ...context,
      source: (topic, options) => context.source(topic, options).pipe(fence(guarded, { scheduler, meter })),
    });
  };
  return { ...pipeline, build };
}

interface Try {
  readonly message: Message;
  /** From 1. */
  readonly attempt: number;
}

/** What goes wrong, and when. */
class Trouble {
  readonly #seed: string;
  readonly #now: () => number;
  #outageUntil = Number.NEGATIVE_INFINITY;

  constructor(seed: string, now: () => number) {
    this.#seed = seed;
    this.#now = now;
  }

  /** @throws Error where this attempt is to fail */
  meet({ id, key }: Message, attempt: number): void {
    if (isPoison(key)) {
      if (attempt > retries) this.#outageUntil = this.#now() + outageMs;
      throw new Error('chaos: poison, no attempt at it succeeds');
    }
    if (this.#now() < this.#outageUntil) throw new Error('chaos: an outage');
    if (attempt === 1 && chance(this.#seed, id) < 1 / failsOneIn) throw new Error('chaos: a first attempt');
  }
}
