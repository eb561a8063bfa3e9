import { describe, expect, it } from 'vitest';
import { askAgain, coordinatorMoves } from '../../../../src/bus/kafka/ask-again.ts';
import { isOfConnection, typeOf } from '../../../../src/bus/kafka/kafkajs/kafkajs-errors.ts';
import { protocolError } from '../../../../src/bus/kafka/kafkajs/raw-request.ts';

describe('what kafkajs says of an error', () => {
  // Kills: kafkajs's older names taken for others than the protocol's: nobody is asked again.
  it.each([
    [6, 'NOT_LEADER_OR_FOLLOWER'],
    [14, 'COORDINATOR_LOAD_IN_PROGRESS'],
    [15, 'COORDINATOR_NOT_AVAILABLE'],
    [16, 'NOT_COORDINATOR'],
    [47, 'INVALID_PRODUCER_EPOCH'],
  ])('has the name of the protocol for code %i: %s', (code, name) => {
    expect(typeOf(protocolError(code, null))).toBe(name);
  });

  it('is of what it gathers, or gave up for', () => {
    const cause = protocolError(14, null);
    const gaveUp = Object.assign(new Error('gave up', { cause }), { name: 'KafkaJSNumberOfRetriesExceeded' });
    const gathered = Object.assign(new Error('several'), { errors: [cause] });
    for (const error of [gaveUp, gathered]) expect(typeOf(error)).toBe('COORDINATOR_LOAD_IN_PROGRESS');
  });

  // Kills: a broker that is away taken for one that refuses: who leaves its group meanwhile is never heard.
  it.each(['KafkaJSNumberOfRetriesExceeded', 'KafkaJSNonRetriableError'])(
    'is that a broker is away, wrapped in %s or not',
    name => {
      const refused = Object.assign(new Error('connect ECONNREFUSED'), { name: 'KafkaJSConnectionError' });
      const wrapped = Object.assign(new Error('given up', { cause: refused }), { name });
      const other = Object.assign(new Error('given up', { cause: new Error('a bug') }), { name });
      expect([refused, wrapped, other].map(isOfConnection)).toEqual([true, true, false]);
    },
  );

  // Kills: one topic without a leader, of whomever, that keeps a coordinator from being found again.
  it('is that no broker was found where a topic has no leader', () => {
    const gaveUp = new Error('given up', { cause: protocolError(5, null) });
    expect(isOfConnection(Object.assign(gaveUp, { name: 'KafkaJSNumberOfRetriesExceeded' }))).toBe(true);
  });

  it('lets a coordinator that is loading be asked again', async () => {
    const answers = [protocolError(14, null), protocolError(16, null)];
    const ask = (): Promise<string> => {
      const refusal = answers.shift();
      return refusal ? Promise.reject(refusal) : Promise.resolve('groups');
    };
    await expect(askAgain(ask, typeOf, coordinatorMoves)).resolves.toBe('groups');
  });
});
