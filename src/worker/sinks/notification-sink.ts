import type { Observable } from 'rxjs';

/** As much of a notification as a sink needs; what else it holds is passed on. */
export interface NotificationLike {
  /** One line. */
  readonly title: string;
  /** The title and its reasons. */
  readonly text: string;
  /** Event time, ms. */
  readonly time: number;
}

/** What a sink is told beside the notification. */
export interface SinkContext {
  /** The message's id: the same again when it is delivered again, so that a sink can tell a repetition. */
  readonly id: string;
  /** The W3C trace that the notification is part of, with a span of this sink's own, for those it speaks with. */
  readonly traceparent: string;
  /** Aborts when what the sink still does is for nothing. */
  readonly signal: AbortSignal;
}

/** A place where notifications go. */
export interface NotificationSink<N extends NotificationLike = NotificationLike> {
  /** Small letters, digits and hyphens; it names the pipeline. */
  readonly name: string;
  /** Completes once the notification is there; errors with a {@link SinkError} where it is not. */
  deliver(notification: N, context: SinkContext): Observable<unknown>;
  /** Makes what was delivered durable and gives back what the sink holds. */
  close?(): Promise<void>;
}

export interface SinkErrorOptions {
  /** Whether the same may succeed later; default true. */
  readonly retryable?: boolean;
  /** How long the other side asked to be left alone, ms. */
  readonly retryAfterMs?: number | undefined;
}

/** A notification could not be delivered; the message says where and why, without secrets. */
export class SinkError extends Error {
  override readonly name = 'SinkError';
  readonly sink: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(sink: string, reason: string, { retryable = true, retryAfterMs }: SinkErrorOptions = {}) {
    super(`sink ${sink}: ${reason}`);
    this.sink = sink;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }
}
