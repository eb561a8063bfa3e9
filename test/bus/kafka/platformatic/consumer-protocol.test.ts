import * as client from '@platformatic/kafka';
import { AssignerProtocol } from 'kafkajs';
import { expect, it } from 'vitest';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../../src/bus/kafka/platformatic/consumer-protocol.ts';

const owned = [
  { topic: 'prices', partition: 0 },
  { topic: 'signals', partition: 2 },
  { topic: 'prices', partition: 11 },
];
const sorted = [owned[0], owned[2], owned[1]];

it('subscriptions come back as they were, and another client reads them', () => {
  const userData = Buffer.from('{"rank":1}');
  const topics = ['prices', 'größen'];
  const bytes = encodeSubscription(client, { topics, userData, owned });
  expect(decodeSubscription(client, bytes)).toEqual({ topics, userData });
  expect(AssignerProtocol.MemberMetadata.decode(bytes)).toEqual({ version: 1, topics, userData });
});

it('assignments come back as they were, and another client reads them', () => {
  const bytes = encodeAssignment(client, owned);
  expect(decodeAssignment(client, bytes)).toEqual(sorted);
  expect(AssignerProtocol.MemberAssignment.decode(bytes)).toMatchObject({
    assignment: { prices: [0, 11], signals: [2] },
  });
  expect(decodeAssignment(client, Buffer.alloc(0))).toEqual([]);
  expect(decodeAssignment(client, encodeAssignment(client, []))).toEqual([]);
});
