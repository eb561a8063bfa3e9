import type { TopicPartition } from '../../event-bus.ts';
import type { PartitionOffset } from '../driver.ts';
import type { Answer } from './coordinator.ts';
import { compactTopics, readCompactTopics } from './compact-topics.ts';
import { type RawRequest, compactArray } from './raw-request.ts';

/**
 * What a group has committed for some partitions, once no open transaction may still change it: OffsetFetch, version 7.
 * kafkajs's own answers with what was committed before such a transaction, which then is done twice.
 */
export function stableOffsets(
  group: string,
  partitions: readonly TopicPartition[],
): RawRequest<readonly (Answer & PartitionOffset)[]> {
  return {
    apiKey: 9,
    apiVersion: 7,
    apiName: 'OffsetFetch',
    encode: encoder =>
      compactArray(encoder().writeUVarInt(0).writeUVarIntString(group), compactTopics(encoder, partitions))
        .writeBoolean(true)
        .writeUVarInt(0),
    decode: decoder => {
      decoder.readTaggedFields();
      decoder.readInt32();
      const places = readCompactTopics(decoder, (place, each) => {
        const offset = Number(each.readInt64().toString());
        each.readInt32();
        each.readUVarIntString();
        return { ...place, offset, code: each.readInt16() };
      });
      const code = decoder.readInt16();
      return code === 0 ? places : [{ topic: '', partition: -1, offset: -1, code }];
    },
  };
}
