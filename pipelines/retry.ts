import { delayUntil, mapValues, publishMessages, readRetries, retryTopic } from '../operators/index.ts';
import { type Pipeline, pipeline } from '../src/index.ts';

export interface RetriesOptions {
  /**
   * The retry topic; default `cryptorun-retry`. Messages with long waits hold up those behind them once there are
   * `maxInFlight`: give them a topic, and one of these, of their own.
   */
  readonly topic?: string;
  /** Messages held until they are due, at most; default 8192. Those behind them wait in the topic. */
  readonly maxInFlight?: number;
}

/**
 * Sends messages back to where they came from when it is time to try them again: the other half of
 * `retryWithBackoff` through a topic. One of it serves all pipelines of a bus. It is called `retries`, and
 * `retries-TOPIC` for another topic.
 */
export function retries({ topic = retryTopic, maxInFlight = 8192 }: RetriesOptions = {}): Pipeline {
  return pipeline(
    topic === retryTopic ? 'retries' : `retries-${topic}`,
    ({ source, publisher, onFailure, scheduler, meter }) =>
      source({ name: topic }).pipe(
        readRetries({ scheduler }),
        delayUntil(({ dueAt, waitMs }) => Math.min(dueAt, scheduler.now() + waitMs), { scheduler, meter }),
        mapValues(({ message }) => message, { scheduler }),
        publishMessages(publisher, { scheduler, meter }),
        onFailure(),
      ),
    {
      summary: 'sends messages back when they are to be tried again',
      watermarkDelayMs: false,
      maxInFlight,
      refuses: {
        'exactly-once':
          'what it has sent back would be committed before what it still holds in front of that',
      },
    },
  );
}
