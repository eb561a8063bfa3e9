import { describe, expect, it } from 'vitest';
import { MessageHeaders } from '../../src/core/headers.ts';
import type { Message, OutgoingMessage } from '../../src/core/message.ts';
import { historyHeaders, historyOf } from '../../src/core/message-history.ts';
import { fromRetryTopic, retryHeaders, toRetryTopic } from '../../src/core/retry-message.ts';
import { messageOf } from '../../src/testing/index.ts';

const message = messageOf({
  topic: 'orders',
  partition: 3,
  offset: 7,
  key: 'k',
  payload: new Uint8Array([0, 255, 1]),
  timestamp: 42,
  headers: MessageHeaders.of([
    ['twice', 'a'],
    ['twice', new Uint8Array([254])],
  ]),
});
const history = { ...historyOf(message), attempts: 2, retries: 1, addressee: 'save' };

/** What the message is once it is stored. */
const stored = ({ headers, key, payload, timestamp, id }: OutgoingMessage): Message =>
  messageOf({
    topic: 'cryptorun-retry',
    key,
    payload,
    headers: headers ?? {},
    ...(timestamp !== undefined && { timestamp }),
    ...(id !== undefined && { id }),
  });

describe('messages in the retry topic', () => {
  it('come back as they were, to where they were, for their addressee', () => {
    const outgoing = toRetryTopic('cryptorun-retry', message, history, { dueAt: 1234.5, now: 1000 });
    expect(outgoing).toMatchObject({ topic: 'cryptorun-retry', key: 'k', reserved: true, id: message.id });
    const retry = fromRetryTopic(stored(outgoing));
    if (typeof retry === 'string') throw new Error(retry);
    expect(retry.dueAt).toBe(1234.5);
    const back = retry.message;
    expect(back).toMatchObject({ topic: 'orders', partition: 3, key: 'k', timestamp: 42, id: message.id });
    expect(back.payload).toEqual(message.payload);
    expect(back.headers?.getAll('twice')).toEqual(['a', new Uint8Array([254])]);
    expect(historyOf({ ...message, ...stored(back) })).toEqual(history);
    expect([...(back.headers ?? [])].filter(([name]) => name.startsWith('x-retry-'))).toEqual([]);
  });

  it('are addressed to nobody while they are there: whoever sends them back must see them', () => {
    const { headers } = toRetryTopic('cryptorun-retry', message, history, { dueAt: 0, now: 0 });
    expect(headers?.has(historyHeaders.addressee)).toBe(false);
  });

  it('go round again from wherever they are then, with the origin that they had', () => {
    const again = toRetryTopic('retry', { ...message, partition: message.partition }, history, {
      dueAt: 1,
      now: 0,
    });
    const first = fromRetryTopic(stored(again));
    if (typeof first === 'string') throw new Error(first);
    const back = messageOf({
      topic: 'orders',
      partition: 3,
      offset: 99,
      headers: first.message.headers ?? {},
    });
    const twice = toRetryTopic('retry', back, { ...historyOf(back), retries: 2 }, { dueAt: 2, now: 0 });
    expect(twice.headers?.getAll(retryHeaders.due)).toEqual(['2']);
    expect(twice.headers?.getAll(historyHeaders.originOffset)).toEqual(['7']);
    expect(twice.headers?.getAll(historyHeaders.retries)).toEqual(['2']);
  });

  it.each([
    [{}, 'no header x-retry-topic'],
    [{ 'x-retry-topic': 't' }, 'x-retry-partition is no partition: missing'],
    [{ 'x-retry-topic': 't', 'x-retry-partition': '' }, 'x-retry-partition is no partition: '],
    [{ 'x-retry-topic': 't', 'x-retry-partition': '-1' }, 'x-retry-partition is no partition: -1'],
    [
      { 'x-retry-topic': 't', 'x-retry-partition': '0', 'x-retry-due': 'soon' },
      'x-retry-due is no time: soon',
    ],
  ])('are no such messages with headers %j', (headers, problem) => {
    expect(fromRetryTopic(messageOf({ headers }))).toBe(problem);
  });
});
