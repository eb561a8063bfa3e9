import type { Failure } from './failure.ts';
import { MessageHeaders } from './headers.ts';
import type { Bytes, Message, MessageId } from './message.ts';
import { type MessageHistory, type Origin, historyOf, withoutHistory } from './message-history.ts';
import { provenance } from './provenance.ts';

/** The topic of messages that failed for good. */
export const deadLetterTopic = 'cryptorun-dlq';
/** The topic of messages that have become dead letters too often. */
export const quarantineTopic = 'cryptorun-quarantine';
/** As many dead letters of one message, over its life, put it into quarantine. */
export const quarantineAfter = 5;

/** The headers of a dead letter, beside those that its message had. */
export const dlqHeaders = {
  originTopic: 'x-dlq-original-topic',
  originPartition: 'x-dlq-original-partition',
  originOffset: 'x-dlq-original-offset',
  timestamp: 'x-dlq-original-timestamp',
  pipeline: 'x-dlq-pipeline',
  stage: 'x-dlq-stage',
  failure: 'x-dlq-failure',
  reason: 'x-dlq-reason',
  attempts: 'x-dlq-attempts',
  firstFailureAt: 'x-dlq-first-failure-time',
  lastFailureAt: 'x-dlq-last-failure-time',
  worker: 'x-dlq-worker',
  schemaVersion: 'x-dlq-schema-version',
  count: 'x-dlq-count',
} as const;

const names: ReadonlySet<string> = new Set(Object.values(dlqHeaders));

/** What is told of a message that failed for good. */
export interface FailureReport {
  readonly origin: Origin;
  /** Event time of the message, ms. */
  readonly timestamp: number;
  /** The pipeline and the operator in which it failed. */
  readonly pipeline: string;
  readonly stage: string;
  /** The tag of the {@link Failure}. */
  readonly failure: string;
  readonly reason: string;
  /** Attempts that failed, over the message's whole life. */
  readonly attempts: number;
  /** When it failed for the first and the last time, ms. */
  readonly firstFailureAt: number;
  readonly lastFailureAt: number;
  /** The process in which it failed. */
  readonly worker: string;
  /** The version of the codec that wrote it, where its sender told. */
  readonly schemaVersion: string | undefined;
  /** How often it has become a dead letter, this time included. */
  readonly count: number;
}

/** A dead letter as it is stored: what happened, and the message as it was. */
export interface DeadLetter extends FailureReport {
  readonly id: MessageId;
  /** Where the letter itself is stored, and since when by the backend's clock, ms. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly logTime: number;
  /** False where a feed could not hand it over: it has no partition and no offset at its origin, which are 0. */
  readonly wasStored: boolean;
  readonly key: string | null;
  readonly payload: Bytes;
  /** The headers that the message had. */
  readonly headers: MessageHeaders;
}

/** Of a text in a letter, so many characters at most. */
const maxText = 4_096;

/** A handler may put whole documents into its errors: a letter that is too large for its topic would hold up all. */
export function shortened(text: string, length: number = maxText): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length)}… (${text.length - length} characters more)`;
}

/** What is to be told of a message that has failed for good, earlier failures included. */
export function reportFailure(
  message: Message,
  failure: Failure,
  by: { readonly pipeline: string; readonly worker: string },
): FailureReport {
  const history = historyOf(message);
  return {
    ...by,
    origin: history.origin,
    timestamp: message.timestamp,
    stage: failure.stage,
    failure: failure.tag,
    reason: shortened(failure.reason),
    ...failedOnceMore(history, failure),
    schemaVersion: message.headers.get(provenance.schemaVersion),
    count: history.deadLetters + 1,
  };
}

/** The counts and times of a history with one more failure. */
export function failedOnceMore(
  history: MessageHistory,
  failure: Failure,
): Pick<FailureReport, 'attempts' | 'firstFailureAt' | 'lastFailureAt'> {
  return {
    attempts: history.attempts + failure.attempts,
    firstFailureAt: history.firstFailureAt ?? failure.firstAt,
    lastFailureAt: failure.lastAt,
  };
}

/** The headers of the dead letter: those of the message, and what happened to it. */
export function withReport(headers: MessageHeaders, report: FailureReport): MessageHeaders {
  const { origin, schemaVersion } = report;
  const told: (readonly [string, string])[] = [
    [dlqHeaders.originTopic, origin.topic],
    [dlqHeaders.originPartition, String(origin.partition)],
    [dlqHeaders.originOffset, String(origin.offset)],
    [dlqHeaders.timestamp, String(report.timestamp)],
    [dlqHeaders.pipeline, report.pipeline],
    [dlqHeaders.stage, report.stage],
    [dlqHeaders.failure, report.failure],
    [dlqHeaders.reason, report.reason],
    [dlqHeaders.attempts, String(report.attempts)],
    [dlqHeaders.firstFailureAt, String(report.firstFailureAt)],
    [dlqHeaders.lastFailureAt, String(report.lastFailureAt)],
    [dlqHeaders.worker, report.worker],
    [dlqHeaders.count, String(report.count)],
  ];
  if (schemaVersion !== undefined) told.push([dlqHeaders.schemaVersion, schemaVersion]);
  const own = [...withoutHistory(headers)].filter(([name]) => !names.has(name));
  return MessageHeaders.of([...own, ...told]);
}

/** Reads a dead letter back; undefined where the message is none. */
export function readDeadLetter(message: Message): DeadLetter | undefined {
  const { headers } = message;
  const text = (name: string): string => headers.get(name) ?? '';
  const number = (name: string, missing = 0): number => {
    const value = Number(headers.get(name) ?? missing);
    return Number.isFinite(value) ? value : missing;
  };
  const originTopic = headers.get(dlqHeaders.originTopic);
  if (originTopic === undefined) return undefined;
  return {
    id: message.id,
    topic: message.topic,
    partition: message.partition,
    offset: message.offset,
    logTime: message.logTime,
    wasStored: headers.has(dlqHeaders.originPartition),
    key: message.key,
    payload: message.payload,
    headers: MessageHeaders.of([...headers].filter(([name]) => !names.has(name))),
    origin: {
      topic: originTopic,
      partition: number(dlqHeaders.originPartition),
      offset: number(dlqHeaders.originOffset),
    },
    timestamp: number(dlqHeaders.timestamp, message.timestamp),
    pipeline: text(dlqHeaders.pipeline),
    stage: text(dlqHeaders.stage),
    failure: text(dlqHeaders.failure),
    reason: text(dlqHeaders.reason),
    attempts: number(dlqHeaders.attempts),
    firstFailureAt: number(dlqHeaders.firstFailureAt),
    lastFailureAt: number(dlqHeaders.lastFailureAt),
    worker: text(dlqHeaders.worker),
    schemaVersion: headers.get(dlqHeaders.schemaVersion),
    count: Math.max(1, number(dlqHeaders.count)),
  };
}
