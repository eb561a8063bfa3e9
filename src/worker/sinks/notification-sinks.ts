import {
  type Observable,
  type SchedulerLike,
  concat,
  defer,
  ignoreElements,
  mergeMap,
  of,
  retry,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { decode, each, filterValues } from '../../../operators/index.ts';
import type { Counter } from '../../core/meter.ts';
import { traceparentBehind } from '../../core/provenance.ts';
import type { Topic } from '../../core/topic.ts';
import { type Pipeline, pipeline } from '../../runtime/pipeline.ts';
import { type NotificationLike, type NotificationSink, SinkError } from './notification-sink.ts';

export interface NotificationSinksOptions {
  /**
   * Notifications older than this by the wall clock are left out and counted as `stream_expired_total`, ms:
   * nobody is woken by a replay. Default: no bound.
   */
  readonly maxAgeMs?: number;
  /** How often a delivery is tried again before it is a dead letter; default 3. */
  readonly retries?: number;
  /** The wait before the first retry, ms, doubling; default 100. */
  readonly firstRetryMs?: number;
  /** The longest wait, also where the other side asks for a longer one, ms; default 10 000. */
  readonly maxRetryMs?: number;
  /** From 0 to 1, spreads the waits by up to a fifth; default `Math.random`. */
  readonly random?: () => number;
  /** Deliveries of one sink at once; those of one key are in order. Default 4. */
  readonly concurrency?: number;
}

/**
 * One pipeline a sink, named `notify-<sink>`, each with its own position in the topic: a sink that fails holds up
 * no other. What cannot be delivered is tried again, then becomes a dead letter; nothing is lost.
 *
 * @example
 * const pipelines = notificationSinks(notifications, [consoleSink(line => process.stdout.write(line))]);
 */
export function notificationSinks<N extends NotificationLike>(
  topic: Topic<N>,
  sinks: readonly NotificationSink<N>[],
  options: NotificationSinksOptions = {},
): readonly Pipeline[] {
  return sinks.map(sink => sinkPipeline(topic, sink, options));
}

function sinkPipeline<N extends NotificationLike>(
  topic: Topic<N>,
  sink: NotificationSink<N>,
  options: NotificationSinksOptions,
): Pipeline {
  const { maxAgeMs = Infinity, concurrency = 4 } = options;
  return pipeline(
    `notify-${sink.name}`,
    ({ source, onFailure, scheduler, meter }) => {
      const tags = { stage: sink.name };
      const expired = meter.counter('stream_expired_total', tags);
      const told = meter.counter('stream_notified_total', tags);
      const errors = meter.counter('stream_handler_error_total', tags);
      const inTime = ({ time }: N): boolean => {
        const young = scheduler.now() - time <= maxAgeMs;
        if (!young) expired.add();
        return young;
      };
      const again = retrying(options, scheduler, errors, meter.counter('stream_retries_total', tags));
      return source(topic).pipe(
        decode(topic, { scheduler }),
        filterValues(inTime, { name: 'inTime', scheduler }),
        each(
          (notification$, context) =>
            notification$.pipe(
              mergeMap(notification => {
                const { signal } = context;
                const { id } = context.message;
                const traceparent = traceparentBehind(context.message, sink.name);
                const attempt = { id, traceparent, signal };
                const delivered$ = defer(() => sink.deliver(notification, attempt)).pipe(again);
                return concat(delivered$.pipe(ignoreElements()), of(undefined));
              }),
              tap(() => told.add()),
            ),
          { name: sink.name, concurrency, scheduler, meter },
        ),
        onFailure(),
      );
    },
    { summary: `notifications to ${sink.name}`, watermarkDelayMs: false },
  );
}

/** Tries again with growing waits, or when the other side says, as often as it may help. */
function retrying(
  options: NotificationSinksOptions,
  scheduler: SchedulerLike,
  errors: Counter,
  retried: Counter,
): <A>(delivered$: Observable<A>) => Observable<A> {
  const { retries = 3, firstRetryMs = 100, maxRetryMs = 10_000, random = Math.random } = options;
  return retry({
    delay: (error: unknown, failures) => {
      const { retryable, retryAfterMs } =
        error instanceof SinkError ? error : { retryable: true, retryAfterMs: undefined };
      if (!retryable || failures > retries) return throwError(() => error);
      errors.add();
      retried.add();
      const backoffMs = firstRetryMs * 2 ** (failures - 1) * (1 + random() / 5);
      return timer(Math.min(maxRetryMs, Math.max(backoffMs, retryAfterMs ?? 0)), scheduler);
    },
  });
}
