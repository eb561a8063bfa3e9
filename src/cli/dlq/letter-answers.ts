import * as t from 'io-ts';
import type { DeadLetter } from '../../core/dead-letter.ts';
import { type HeaderValue, MessageHeaders } from '../../core/headers.ts';
import { messageId } from '../../core/message.ts';
import { failedAt, kindOf, type LetterGroup } from '../../dlq/letter-group.ts';

/** Longer reasons are cut in lists, characters. */
const maxReason = 500;
/** As are keys. */
const maxKey = 200;

/** A letter in a list: without payload and headers. */
export interface LetterSummary extends Pick<
  DeadLetter,
  | 'origin'
  | 'wasStored'
  | 'pipeline'
  | 'stage'
  | 'failure'
  | 'reason'
  | 'key'
  | 'attempts'
  | 'count'
  | 'timestamp'
> {
  readonly id: string;
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Of the payload; null: a tombstone. */
  readonly bytes: number | null;
  /** Its last failure, ms. */
  readonly failedAt: number;
}

const textOrNull = t.union([t.string, t.null]);

export const LetterSummary: t.Type<LetterSummary> = t.type({
  id: t.string,
  group: t.string,
  topic: t.string,
  partition: t.number,
  offset: t.number,
  origin: t.type({ topic: t.string, partition: t.number, offset: t.number }),
  wasStored: t.boolean,
  pipeline: t.string,
  stage: t.string,
  failure: t.string,
  reason: t.string,
  key: textOrNull,
  bytes: t.union([t.number, t.null]),
  attempts: t.number,
  count: t.number,
  timestamp: t.number,
  failedAt: t.number,
});

/** All of a letter; bytes as base64. */
export interface WholeLetter extends LetterSummary {
  readonly payload: string | null;
  readonly headers: readonly [string, { readonly text: string } | { readonly base64: string }][];
  readonly firstFailureAt: number;
  readonly lastFailureAt: number;
  readonly logTime: number;
  readonly worker: string;
  readonly schemaVersion: string | null;
}

const HeaderText = t.union([t.type({ text: t.string }), t.type({ base64: t.string })]);

export const WholeLetter: t.Type<WholeLetter> = t.intersection([
  LetterSummary,
  t.type({
    payload: textOrNull,
    headers: t.readonlyArray(t.tuple([t.string, HeaderText])),
    firstFailureAt: t.number,
    lastFailureAt: t.number,
    logTime: t.number,
    worker: t.string,
    schemaVersion: textOrNull,
  }),
]);

/** Letters of one kind. */
export const Group: t.Type<LetterGroup> = t.type({
  id: t.string,
  pipeline: t.string,
  stage: t.string,
  failure: t.string,
  reason: t.string,
  count: t.number,
  firstAt: t.number,
  lastAt: t.number,
  example: t.string,
});

export function summaryOf(letter: DeadLetter): LetterSummary {
  const { id, topic, partition, offset, origin, pipeline, stage, failure, key, payload } = letter;
  const { wasStored, attempts, count, timestamp } = letter;
  return {
    id,
    group: kindOf(letter).id,
    topic,
    partition,
    offset,
    origin,
    wasStored,
    pipeline,
    stage,
    failure,
    reason: cut(letter.reason, maxReason),
    key: key === null ? null : cut(key, maxKey),
    bytes: payload?.length ?? null,
    attempts,
    count,
    timestamp,
    failedAt: failedAt(letter),
  };
}

export function wholeOf(letter: DeadLetter): WholeLetter {
  const { firstFailureAt, lastFailureAt, logTime, worker, schemaVersion = null } = letter;
  return {
    ...summaryOf(letter),
    key: letter.key,
    reason: letter.reason,
    payload: letter.payload === null ? null : Buffer.from(letter.payload).toString('base64'),
    headers: [...letter.headers].map(([name, value]) => [
      name,
      typeof value === 'string' ? { text: value } : { base64: Buffer.from(value).toString('base64') },
    ]),
    firstFailureAt,
    lastFailureAt,
    logTime,
    worker,
    schemaVersion,
  };
}

/** The bytes of a letter's payload. */
export function payloadOf({ payload }: WholeLetter): Buffer | null {
  return payload === null ? null : Buffer.from(payload, 'base64');
}

/** The letter that {@link wholeOf} told. */
export function letterOf(whole: WholeLetter): DeadLetter {
  const { id, topic, partition, offset, origin, pipeline, stage, failure, reason, key, attempts, count } =
    whole;
  const { wasStored, timestamp, firstFailureAt, lastFailureAt, logTime, worker, schemaVersion, headers } =
    whole;
  return {
    id: messageId(id),
    topic,
    partition,
    offset,
    origin,
    wasStored,
    pipeline,
    stage,
    failure,
    reason,
    key,
    attempts,
    count,
    timestamp,
    firstFailureAt,
    lastFailureAt,
    logTime,
    worker,
    schemaVersion: schemaVersion ?? undefined,
    payload: payloadOf(whole),
    headers: MessageHeaders.of(headers.map(headerOf)),
  };
}

function headerOf([name, value]: WholeLetter['headers'][number]): readonly [string, HeaderValue] {
  return [name, 'text' in value ? value.text : Buffer.from(value.base64, 'base64')];
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
