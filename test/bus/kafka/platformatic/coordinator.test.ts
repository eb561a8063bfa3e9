import * as client from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import type { Brokers } from '../../../../src/bus/kafka/platformatic/brokers.ts';
import { Coordinator } from '../../../../src/bus/kafka/platformatic/coordinator.ts';

const connectionLost = new client.NetworkError('gone');
const answered = (code: number): Error => new client.ResponseError(26, 3, { '/': [code, null] }, {});

/** How often a request is said to be under way still, when it comes to each of these in turn, and then to an answer. */
async function unansweredOf(outcomes: readonly Error[], lookups: Error[] = []): Promise<number> {
  const left = [...outcomes];
  const brokers = {
    client,
    askAny: () => {
      const refusal = lookups.shift();
      return refusal ? Promise.reject(refusal) : Promise.resolve({ coordinators: [{ nodeId: 1 }] });
    },
    ask: () => {
      const refusal = left.shift();
      return refusal ? Promise.reject(refusal) : Promise.resolve('ended');
    },
  };
  let unanswered = 0;
  const coordinator = new Coordinator(
    brokers as unknown as Brokers,
    'transaction',
    'id',
    1_000,
    () => unanswered++,
  );
  expect(await coordinator.ask(client.endTxnV3.api, 'id', 1n, 0, true)).toBe('ended');
  expect(left).toEqual([]);
  return unanswered;
}

describe('a request to a coordinator', () => {
  it('may yet arrive where its connection ended, or the broker took too long for it', async () => {
    expect(await unansweredOf([connectionLost, answered(7)])).toBe(2);
  });

  it('has arrived where it was answered, whatever with', async () => {
    expect(await unansweredOf([answered(51), answered(14), answered(16)])).toBe(0);
  });

  it('was not made where the coordinator was not found', async () => {
    expect(await unansweredOf([], [connectionLost])).toBe(0);
  });
});
