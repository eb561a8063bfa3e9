import { MessageHeaders } from './headers.ts';
import type { Message } from './message.ts';

/** The headers in which a message that is sent round again carries what it has been through. */
export const historyHeaders = {
  originTopic: 'x-origin-topic',
  originPartition: 'x-origin-partition',
  originOffset: 'x-origin-offset',
  attempts: 'x-attempts',
  firstFailureAt: 'x-first-failure-time',
  lastFailureAt: 'x-last-failure-time',
  retries: 'x-retries',
  rounds: 'x-rounds',
  retryDelay: 'x-retry-delay',
  deadLetters: 'x-dead-letters',
  addressee: 'x-addressed-to',
  redrive: 'x-redrive-id',
} as const;

const names: ReadonlySet<string> = new Set(Object.values(historyHeaders));

/** Where a message was first stored. */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** What a message has been through before it came here. */
export interface MessageHistory {
  readonly origin: Origin;
  /** Attempts that failed, over its whole life. */
  readonly attempts: number;
  /** When it failed for the first and the last time, ms; undefined where it never did. */
  readonly firstFailureAt: number | undefined;
  readonly lastFailureAt: number | undefined;
  /** How often it went round through the retry topic, having failed, since it was last sent by somebody. */
  readonly retries: number;
  /** How often in all, also only because others of its key went before it. */
  readonly rounds: number;
  /** How long its last round was to take, ms; undefined before the first. */
  readonly retryDelayMs: number | undefined;
  /** How often it has become a dead letter. */
  readonly deadLetters: number;
  /** The only pipeline, or group, that is meant; undefined: everybody. */
  readonly addressee: string | undefined;
  /** The sending of a dead letter that brought it here. */
  readonly redrive: string | undefined;
}

/** What the headers of a message tell of its history; a message that was never sent again begins here. */
export function historyOf({ topic, partition, offset, headers }: Message): MessageHistory {
  const originTopic = headers.get(historyHeaders.originTopic);
  return {
    origin:
      originTopic === undefined
        ? { topic, partition, offset }
        : {
            topic: originTopic,
            partition: countIn(headers, historyHeaders.originPartition),
            offset: countIn(headers, historyHeaders.originOffset),
          },
    attempts: countIn(headers, historyHeaders.attempts),
    firstFailureAt: timeIn(headers, historyHeaders.firstFailureAt),
    lastFailureAt: timeIn(headers, historyHeaders.lastFailureAt),
    retries: countIn(headers, historyHeaders.retries),
    rounds: countIn(headers, historyHeaders.rounds),
    retryDelayMs: timeIn(headers, historyHeaders.retryDelay),
    deadLetters: countIn(headers, historyHeaders.deadLetters),
    addressee: headers.get(historyHeaders.addressee),
    redrive: headers.get(historyHeaders.redrive),
  };
}

/** The headers with this history in place of any other. */
export function withHistory(headers: MessageHeaders, history: MessageHistory): MessageHeaders {
  const { origin, firstFailureAt, lastFailureAt, retryDelayMs, addressee, redrive } = history;
  const told: (readonly [string, string | undefined])[] = [
    [historyHeaders.originTopic, origin.topic],
    [historyHeaders.originPartition, String(origin.partition)],
    [historyHeaders.originOffset, String(origin.offset)],
    [historyHeaders.attempts, String(history.attempts)],
    [historyHeaders.firstFailureAt, firstFailureAt?.toString()],
    [historyHeaders.lastFailureAt, lastFailureAt?.toString()],
    [historyHeaders.retries, String(history.retries)],
    [historyHeaders.rounds, String(history.rounds)],
    [historyHeaders.retryDelay, retryDelayMs?.toString()],
    [historyHeaders.deadLetters, String(history.deadLetters)],
    [historyHeaders.addressee, addressee],
    [historyHeaders.redrive, redrive],
  ];
  const present = told.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return MessageHeaders.of([...withoutHistory(headers), ...present]);
}

/** The headers as their first sender wrote them. */
export function withoutHistory(headers: MessageHeaders): MessageHeaders {
  return headers.has(historyHeaders.originTopic)
    ? MessageHeaders.of([...headers].filter(([name]) => !names.has(name)))
    : headers;
}

/** Whether a pipeline or group of this name is meant by a message; most are meant for everybody, nameless too. */
export function isAddressedTo(name: string | undefined, { headers }: Pick<Message, 'headers'>): boolean {
  const addressee = headers.get(historyHeaders.addressee);
  return addressee === undefined || addressee === name;
}

/** A header is outside input: what is not a whole number from 0 counts as 0. */
function countIn(headers: MessageHeaders, name: string): number {
  const value = Number(headers.get(name) ?? 0);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function timeIn(headers: MessageHeaders, name: string): number | undefined {
  const text = headers.get(name);
  const value = Number(text);
  return text !== undefined && Number.isFinite(value) ? value : undefined;
}
