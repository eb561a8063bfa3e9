import { type SchedulerLike, asyncScheduler } from 'rxjs';
import { abortable } from './abortable.ts';
import {
  type NotificationLike,
  type NotificationSink,
  type SinkContext,
  SinkError,
} from './notification-sink.ts';
import { retryAfterMs } from './retry-after.ts';

export interface WebhookOptions {
  /** Default `webhook`. */
  readonly name?: string;
  /** Where notifications are posted; a user and password in it are sent as `authorization: Basic`. */
  readonly url: string;
  /** Sent along with each request; never logged. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long one request may take, ms; default 10 000. */
  readonly timeoutMs?: number;
  /** The clock that `retry-after` dates are compared with; default RxJS's `asyncScheduler`. */
  readonly scheduler?: Pick<SchedulerLike, 'now'>;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
}

interface Target {
  readonly name: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly fetch: typeof fetch;
}

/**
 * Posts each notification as JSON with its id, and the id again in the header `idempotency-key`, so that the
 * other side can tell a repetition, with the `traceparent` of what led to it. Only a 2xx is delivered. Of the URL only the origin is ever told: paths of
 * webhooks hold secrets as well as queries do.
 *
 * @throws TypeError for a URL that is not http or https; it does not repeat the URL
 */
export function webhookSink(options: WebhookOptions): NotificationSink {
  const { name = 'webhook', timeoutMs = 10_000, scheduler = asyncScheduler } = options;
  const { url, headers } = withoutUser(name, options.url);
  const target: Target = {
    name,
    url,
    headers: { ...headers, ...options.headers },
    timeoutMs,
    now: () => scheduler.now(),
    fetch: options.fetch ?? fetch,
  };
  return {
    name,
    deliver: (notification, context) =>
      abortable(aborted => post(target, notification, { ...context, signal: aborted }), context.signal),
  };
}

async function post(
  target: Target,
  notification: NotificationLike,
  { id, traceparent, signal }: SinkContext,
): Promise<void> {
  const { name, url, headers, timeoutMs } = target;
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await target.fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': id, traceparent },
      body: JSON.stringify({ ...notification, id }),
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    });
    // The connection is free again once the answer is read or given up.
    await response.body?.cancel();
  } catch (error) {
    const reason = timeout.aborted ? `no answer within ${timeoutMs} ms` : codeOf(error);
    throw new SinkError(name, `${url.origin}: ${reason}`);
  }
  if (!response.ok) throw refusal(target, response);
}

/** A refusal that the same request would meet again is not tried again. */
function refusal({ name, url, now }: Target, { status, headers }: Response): SinkError {
  const remedy = status >= 300 && status < 400 ? ', a redirection: name its target as the URL' : '';
  return new SinkError(name, `${url.origin} answered ${status}${remedy}`, {
    retryable: status >= 500 || [408, 425, 429].includes(status),
    retryAfterMs: retryAfterMs(headers.get('retry-after'), now()),
  });
}

/** The message of a failed fetch may hold the URL; its code does not. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.name : 'the request failed';
}

/** `fetch` refuses URLs with a user in them, and names them in full when it does. */
function withoutUser(name: string, text: string): { url: URL; headers: Record<string, string> } {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(`sink ${name}: the URL is not valid: it must begin with https:// or http://`);
  }
  const { username, password } = url;
  if (username === '' && password === '') return { url, headers: {} };
  url.username = '';
  url.password = '';
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { url, headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } };
}
