import { hash } from 'node:crypto';
import type { DeadLetter } from '../core/dead-letter.ts';
import { withHistory } from '../core/message-history.ts';
import { type Bytes, type OutgoingMessage, deriveId } from '../core/message.ts';

/** Why a letter is not sent although it is meant, and will never be by the same selection. */
export type Skipped = 'edited away' | 'in quarantine' | 'never a message';

/** Hex digits of a payload's hash that tell edits of one letter apart. */
const editDigits = 16;

/** SHA-256 of a payload in hex; `null` of a tombstone. */
export function payloadHash(payload: Bytes): string {
  return payload === null ? 'null' : hash('sha256', payload, 'hex');
}

/** What a pipeline knows a redrive by: the letter's id, and what was made of its payload. */
export function redriveIdOf(letter: DeadLetter, payload: Bytes): string {
  if (isSame(payload, letter.payload)) return letter.id;
  return `${letter.id}-${payloadHash(payload).slice(0, editDigits)}`;
}

/** The message that brings a letter back to where it failed, and to the pipeline that failed alone. */
export function redriveOf(letter: DeadLetter, payload: Bytes = letter.payload): OutgoingMessage {
  const { origin, key, timestamp, pipeline } = letter;
  const redrive = redriveIdOf(letter, payload);
  return {
    topic: origin.topic,
    partition: origin.partition,
    key,
    payload,
    timestamp,
    id: deriveId('redrive', origin.topic, key, timestamp, redrive),
    headers: withHistory(letter.headers, {
      origin,
      attempts: letter.attempts,
      firstFailureAt: letter.firstFailureAt,
      lastFailureAt: letter.lastFailureAt,
      retries: 0,
      rounds: 0,
      retryDelayMs: undefined,
      deadLetters: letter.count,
      addressee: pipeline,
      redrive,
    }),
  };
}

export function isSame(a: Bytes, b: Bytes): boolean {
  if (a === null || b === null) return a === b;
  return Buffer.compare(a, b) === 0;
}
