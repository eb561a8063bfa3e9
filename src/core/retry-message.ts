import { MessageHeaders } from './headers.ts';
import type { Message, OutgoingMessage } from './message.ts';
import { type MessageHistory, historyOf, withHistory } from './message-history.ts';

/** The topic of messages that are tried again later. */
export const retryTopic = 'cryptorun-retry';

/** The headers of a message in the retry topic, beside its own and its history. */
export const retryHeaders = {
  due: 'x-retry-due',
  wait: 'x-retry-wait',
  topic: 'x-retry-topic',
  partition: 'x-retry-partition',
  /** The only pipeline that wants it back. Not the addressee yet: that is who sends it back. */
  pipeline: 'x-retry-pipeline',
} as const;

const names: ReadonlySet<string> = new Set(Object.values(retryHeaders));

/** A message that waits in the retry topic. */
export interface RetryMessage {
  /** When it is to be sent back, ms by the clock of who put it there. */
  readonly dueAt: number;
  /** How long that was to be when it was put there, ms: no clock makes it wait longer. */
  readonly waitMs: number;
  /** What is to be sent then: the message as it was, to where it came from. */
  readonly message: OutgoingMessage;
}

/** The message on its way through a retry topic to its addressee: byte for byte, with key, id and event time. */
export function toRetryTopic(
  topic: string,
  message: Message,
  history: MessageHistory,
  { dueAt, now }: { readonly dueAt: number; readonly now: number },
): OutgoingMessage {
  const { addressee, ...rest } = history;
  const told: (readonly [string, string])[] = [
    [retryHeaders.due, String(dueAt)],
    [retryHeaders.wait, String(dueAt - now)],
    [retryHeaders.topic, message.topic],
    [retryHeaders.partition, String(message.partition)],
  ];
  if (addressee !== undefined) told.push([retryHeaders.pipeline, addressee]);
  return {
    topic,
    key: message.key,
    payload: message.payload,
    timestamp: message.timestamp,
    id: message.id,
    headers: MessageHeaders.of([...withHistory(message.headers, { ...rest, addressee: undefined }), ...told]),
    reserved: true,
  };
}

/** Reads what waits in a retry topic; text: why it cannot be read. */
export function fromRetryTopic(message: Message): RetryMessage | string {
  const { headers, key, payload, timestamp, id } = message;
  const topic = headers.get(retryHeaders.topic);
  if (topic === undefined) return `no header ${retryHeaders.topic}`;
  const partition = numberIn(headers, retryHeaders.partition);
  if (!Number.isSafeInteger(partition) || partition < 0)
    return `${retryHeaders.partition} is no partition: ${headers.get(retryHeaders.partition) ?? 'missing'}`;
  const dueAt = numberIn(headers, retryHeaders.due);
  if (!Number.isFinite(dueAt))
    return `${retryHeaders.due} is no time: ${headers.get(retryHeaders.due) ?? 'missing'}`;
  const waitMs = numberIn(headers, retryHeaders.wait);
  const own = MessageHeaders.of([...headers].filter(([name]) => !names.has(name)));
  const history = { ...historyOf(message), addressee: headers.get(retryHeaders.pipeline) };
  return {
    dueAt,
    // Without one the clock alone tells.
    waitMs: Number.isFinite(waitMs) ? waitMs : Number.POSITIVE_INFINITY,
    message: {
      ...{ topic, partition, key, payload, timestamp, id },
      headers: withHistory(own, history),
      reserved: true,
    },
  };
}

function numberIn(headers: MessageHeaders, name: string): number {
  const text = headers.get(name) ?? '';
  return text.trim() === '' ? Number.NaN : Number(text);
}
