import type { TopicPartition } from '../../event-bus.ts';
import type {
  KnownTransaction,
  OpenTransaction,
  PartitionTransactions,
} from '../transactions/transaction-ends.ts';
import { compactTopics, readCompactTopics } from './compact-topics.ts';
import { type Decoder, type RawRequest, compactArray, protocolError } from './raw-request.ts';

/** The transactions that are open in partitions, as their leader knows them: DescribeProducers, version 0. */
export function openTransactions(
  places: readonly TopicPartition[],
): RawRequest<readonly PartitionTransactions[]> {
  return {
    apiKey: 61,
    apiVersion: 0,
    apiName: 'DescribeProducers',
    encode: encoder =>
      compactArray(encoder().writeUVarInt(0), compactTopics(encoder, places)).writeUVarInt(0),
    decode: decoder => {
      decoder.readTaggedFields();
      decoder.readInt32();
      return readCompactTopics(decoder, (place, each) => {
        const error = protocolError(each.readInt16(), each.readUVarIntString());
        const producers = each.readUVarIntArray(producerOf);
        const open = producers
          .filter(({ startOffset }) => startOffset >= 0)
          .map(producer => ({ ...producer, ...place }));
        return { ...place, error, open };
      });
    },
  };
}

/** Ends a transaction in one partition: WriteTxnMarkers, version 1. Answers with what stands against it. */
export function writeMarker(
  { producerId, producerEpoch, coordinatorEpoch, ...place }: OpenTransaction,
  isCommit: boolean,
): RawRequest<readonly (Error | undefined)[]> {
  return {
    apiKey: 27,
    apiVersion: 1,
    apiName: 'WriteTxnMarkers',
    encode: encoder => {
      const marker = compactArray(
        encoder().writeInt64(String(producerId)).writeInt16(producerEpoch).writeBoolean(isCommit),
        compactTopics(encoder, [place]),
      )
        .writeInt32(Math.max(0, coordinatorEpoch))
        .writeUVarInt(0);
      return compactArray(encoder().writeUVarInt(0), [marker]).writeUVarInt(0);
    },
    decode: decoder => {
      decoder.readTaggedFields();
      const errors = decoder.readUVarIntArray(ofMarker => {
        ofMarker.readInt64();
        const answers = readCompactTopics(ofMarker, (_place, each) => protocolError(each.readInt16(), null));
        ofMarker.readTaggedFields();
        return answers;
      });
      return errors.flat();
    },
  };
}

/** What a broker knows, as a coordinator, of the last transactions of producers: ListTransactions, version 0. */
export function knownTransactions(
  producerIds: readonly bigint[],
): RawRequest<{ readonly code: number; readonly transactions: readonly KnownTransaction[] }> {
  return {
    apiKey: 66,
    apiVersion: 0,
    apiName: 'ListTransactions',
    encode: encoder =>
      compactArray(
        compactArray(encoder().writeUVarInt(0), []),
        producerIds.map(id => encoder().writeInt64(String(id))),
      ).writeUVarInt(0),
    decode: decoder => {
      decoder.readTaggedFields();
      decoder.readInt32();
      const code = decoder.readInt16();
      decoder.readUVarIntArray(unknown => unknown.readUVarIntString());
      const transactions = decoder.readUVarIntArray(each => {
        const id = each.readUVarIntString() ?? '';
        const producerId = BigInt(each.readInt64().toString());
        const state = each.readUVarIntString() ?? '';
        each.readTaggedFields();
        return { id, producerId, state };
      });
      return { code, transactions };
    },
  };
}

/** Where it has nothing open its start is -1. */
function producerOf(decoder: Decoder): Omit<OpenTransaction, keyof TopicPartition> {
  const producerId = BigInt(decoder.readInt64().toString());
  const producerEpoch = decoder.readInt32();
  decoder.readInt32();
  decoder.readInt64();
  const coordinatorEpoch = decoder.readInt32();
  const startOffset = Number(decoder.readInt64().toString());
  decoder.readTaggedFields();
  return { producerId, producerEpoch, coordinatorEpoch, startOffset };
}
