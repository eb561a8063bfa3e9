import * as client from '@platformatic/kafka';
import type { Cluster } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import {
  Coordinator as KafkaJsCoordinator,
  codeAlone,
} from '../../../../src/bus/kafka/kafkajs/coordinator.ts';
import type { RawRequest } from '../../../../src/bus/kafka/kafkajs/raw-request.ts';
import type { Brokers } from '../../../../src/bus/kafka/platformatic/brokers.ts';
import { Coordinator as PlatformaticCoordinator } from '../../../../src/bus/kafka/platformatic/coordinator.ts';

/** What an attempt comes to: the code of an answer, or a connection that ends. */
type Outcome = number | 'lost';

/** Finds a coordinator, or does not, and asks it to end a transaction; undefined as outcome is success. */
interface Wire {
  readonly lookUp: () => Outcome | undefined;
  readonly ask: () => Outcome | undefined;
}

const patience = { atMostMs: 1_000 };

async function endOnKafkaJs({ lookUp, ask }: Wire, unanswered: () => void): Promise<unknown> {
  const lost = Object.assign(new Error('gone'), { name: 'KafkaJSConnectionClosedError' });
  const send = ({
    response,
  }: {
    response: { decode(buffer: Buffer): Promise<unknown> };
  }): Promise<unknown> => {
    const outcome = ask() ?? 0;
    if (outcome === 'lost') return Promise.reject(lost);
    const answer = Buffer.alloc(6);
    answer.writeInt16BE(outcome, 4);
    return response.decode(answer);
  };
  const cluster = {
    findGroupCoordinator: () =>
      lookUp() === undefined ? Promise.resolve({ connectionPool: { send } }) : Promise.reject(lost),
    removeBroker: () => undefined,
  };
  const request: RawRequest<readonly { readonly code: number }[]> = {
    apiKey: 26,
    apiVersion: 1,
    apiName: 'EndTxn',
    encode: encoder => encoder(),
    decode: codeAlone,
  };
  const known = cluster as unknown as Cluster;
  const [answer] = await new KafkaJsCoordinator(known, 'transaction', 'id', patience, unanswered).ask(
    request,
  );
  return answer?.code;
}

async function endOnPlatformatic({ lookUp, ask }: Wire, unanswered: () => void): Promise<unknown> {
  const told = <A>(outcome: Outcome | undefined, answer: A): Promise<A> => {
    if (outcome === undefined) return Promise.resolve(answer);
    if (outcome === 'lost') return Promise.reject(new client.NetworkError('gone'));
    return Promise.reject(new client.ResponseError(26, 3, { '/': [outcome, null] }, {}));
  };
  const brokers = {
    client,
    askAny: () => told(lookUp(), { coordinators: [{ nodeId: 1 }] }),
    ask: () => told(ask(), 0),
  } as unknown as Brokers;
  const coordinator = new PlatformaticCoordinator(brokers, 'transaction', 'id', patience, unanswered);
  return coordinator.ask(client.endTxnV3.api, 'id', 1n, 0, true);
}

describe.each([
  { driver: 'kafkajs', end: endOnKafkaJs },
  { driver: 'platformatic', end: endOnPlatformatic },
])('a request to a coordinator on $driver', ({ end }) => {
  /** How often a request is said to be under way still, when it comes to each of these in turn, and then to an answer. */
  async function unansweredOf(outcomes: Outcome[], lookups: Outcome[] = []): Promise<number> {
    let unanswered = 0;
    const wire = { lookUp: () => lookups.shift(), ask: () => outcomes.shift() };
    expect(await end(wire, () => unanswered++)).toBe(0);
    expect([...outcomes, ...lookups]).toEqual([]);
    return unanswered;
  }

  it('may yet arrive where its connection ended, or the broker took too long for it', async () => {
    expect(await unansweredOf(['lost', 7])).toBe(2);
  });

  it('has arrived where it was answered, whatever with', async () => {
    expect(await unansweredOf([51, 14, 16])).toBe(0);
  });

  it('was not made where the coordinator was not found', async () => {
    expect(await unansweredOf([], ['lost'])).toBe(0);
  });
});
