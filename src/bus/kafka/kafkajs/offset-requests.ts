import type { MemberOffsets, PartitionOffset } from '../driver.ts';
import type { TransactionalId } from '../transactions/transactional-producer.ts';
import { compactTopics, readCompactTopics } from './compact-topics.ts';
import type { PlaceAnswer } from './coordinator.ts';
import { type Decoder, type Encoder, type RawRequest, compactArray, untagged } from './raw-request.ts';

const noLeaderEpoch = -1;

/**
 * Commits what a member has come to, as who it was then: OffsetCommit, version 8. kafkajs's own commits as whoever the
 * member has become meanwhile, which may be another one, with other partitions.
 */
export function commitOffsets({
  member: { group, memberId, generation },
  offsets,
}: MemberOffsets): RawRequest<readonly PlaceAnswer[]> {
  return {
    apiKey: 8,
    apiVersion: 8,
    apiName: 'OffsetCommit',
    encode: encoder => {
      const head = untagged(encoder())
        .writeUVarIntString(group)
        .writeInt32(generation)
        .writeUVarIntString(memberId)
        .writeUVarIntString(null);
      return untagged(compactArray(head, topicsOf(encoder, offsets)));
    },
    decode: readAnswers,
  };
}

/**
 * What a member has come to, which counts once the transaction is committed: TxnOffsetCommit, version 3, the first
 * that proves that the member still is one. kafkajs's own is older and commits for whoever asks.
 */
export function commitOffsetsIn(
  { id, producerId, producerEpoch }: TransactionalId,
  { member: { group, memberId, generation }, offsets }: MemberOffsets,
): RawRequest<readonly PlaceAnswer[]> {
  return {
    apiKey: 28,
    apiVersion: 3,
    apiName: 'TxnOffsetCommit',
    encode: encoder => {
      const head = untagged(encoder())
        .writeUVarIntString(id)
        .writeUVarIntString(group)
        .writeInt64(String(producerId))
        .writeInt16(producerEpoch)
        .writeInt32(generation)
        .writeUVarIntString(memberId)
        .writeUVarIntString(null);
      return untagged(compactArray(head, topicsOf(encoder, offsets)));
    },
    decode: readAnswers,
  };
}

function topicsOf(encoder: () => Encoder, offsets: readonly PartitionOffset[]): readonly Encoder[] {
  return compactTopics(encoder, offsets, ({ partition, offset }) =>
    untagged(
      encoder()
        .writeInt32(partition)
        .writeInt64(String(offset))
        .writeInt32(noLeaderEpoch)
        .writeUVarIntString(null),
    ),
  );
}

function readAnswers(decoder: Decoder): readonly PlaceAnswer[] {
  decoder.readTaggedFields();
  decoder.readInt32();
  return readCompactTopics(decoder, (place, each) => ({ ...place, code: each.readInt16() }));
}
