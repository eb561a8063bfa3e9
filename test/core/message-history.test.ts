import { describe, expect, it } from 'vitest';
import { MessageHeaders } from '../../src/core/headers.ts';
import {
  type MessageHistory,
  historyHeaders,
  historyOf,
  isAddressedTo,
  withHistory,
  withoutHistory,
} from '../../src/core/message-history.ts';
import { messageOf } from '../../src/testing/index.ts';

const own = MessageHeaders.of([
  ['trace', 'a'],
  ['trace', new Uint8Array([1, 2])],
]);

const history: MessageHistory = {
  origin: { topic: 'prices', partition: 3, offset: 17 },
  attempts: 4,
  firstFailureAt: 100,
  lastFailureAt: 900,
  retries: 2,
  rounds: 3,
  retryDelayMs: 350,
  deadLetters: 1,
  addressee: 'enrich',
  redrive: 'r1',
};

describe('the history of a message', () => {
  it('begins where the message is stored', () => {
    const message = messageOf({ topic: 'prices', partition: 2, offset: 5 });
    expect(historyOf(message)).toEqual({
      origin: { topic: 'prices', partition: 2, offset: 5 },
      attempts: 0,
      firstFailureAt: undefined,
      lastFailureAt: undefined,
      retries: 0,
      rounds: 0,
      deadLetters: 0,
      addressee: undefined,
      redrive: undefined,
    });
  });

  it('comes back from headers as it was written, in place of an earlier one', () => {
    const headers = withHistory(withHistory(own, history), { ...history, attempts: 5 });
    expect(historyOf(messageOf({ headers }))).toEqual({ ...history, attempts: 5 });
    expect([...withoutHistory(headers)]).toEqual([...own]);
  });

  it('counts what is no number as nothing', () => {
    const headers = withHistory(own, history)
      .with(historyHeaders.attempts, '-3')
      .with(historyHeaders.retries, 'x');
    expect(historyOf(messageOf({ headers }))).toMatchObject({ attempts: 0, retries: 0 });
  });

  it('names who is meant', () => {
    expect(isAddressedTo('anybody', messageOf({ headers: own }))).toBe(true);
    const addressed = messageOf({ headers: withHistory(own, history) });
    expect([isAddressedTo('enrich', addressed), isAddressedTo('other', addressed)]).toEqual([true, false]);
  });
});
