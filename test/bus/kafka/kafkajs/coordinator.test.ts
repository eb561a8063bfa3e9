import type { Cluster } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { Coordinator, codeAlone } from '../../../../src/bus/kafka/kafkajs/coordinator.ts';
import type { RawRequest } from '../../../../src/bus/kafka/kafkajs/raw-request.ts';

interface Exchange {
  readonly response: { decode(buffer: Buffer): Promise<unknown> };
}

const connectionLost = Object.assign(new Error('gone'), { name: 'KafkaJSConnectionClosedError' });
const request: RawRequest<readonly { readonly code: number }[]> = {
  apiKey: 26,
  apiVersion: 1,
  apiName: 'EndTxn',
  encode: encoder => encoder(),
  decode: codeAlone,
};

/** How often a request is said to be under way still, when it comes to each of these in turn. */
async function unansweredOf(outcomes: readonly (number | Error)[], lookups: Error[] = []): Promise<number> {
  const left = [...outcomes];
  const broker = {
    connectionPool: {
      send: ({ response }: Exchange) => {
        const outcome = left.shift() ?? 0;
        if (outcome instanceof Error) return Promise.reject(outcome);
        const answer = Buffer.alloc(6);
        answer.writeInt16BE(outcome, 4);
        return response.decode(answer);
      },
    },
  };
  const cluster = {
    findGroupCoordinator: () => {
      const refusal = lookups.shift();
      return refusal ? Promise.reject(refusal) : Promise.resolve(broker);
    },
    removeBroker: () => undefined,
  };
  let unanswered = 0;
  const coordinator = new Coordinator(
    cluster as unknown as Cluster,
    'transaction',
    'id',
    1_000,
    () => unanswered++,
  );
  expect(await coordinator.ask(request)).toEqual([{ code: 0 }]);
  expect(left).toEqual([]);
  return unanswered;
}

describe('a request to a coordinator', () => {
  it('may yet arrive where its connection ended, or the broker took too long for it', async () => {
    expect(await unansweredOf([connectionLost, 7, 0])).toBe(2);
  });

  it('has arrived where it was answered, whatever with', async () => {
    expect(await unansweredOf([51, 14, 16, 0])).toBe(0);
  });

  it('was not made where the coordinator was not found', async () => {
    expect(await unansweredOf([0], [connectionLost])).toBe(0);
  });
});
