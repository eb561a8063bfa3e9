import type { TopicPartition } from '../../event-bus.ts';
import type { PartitionOffset } from '../driver.ts';
import type { Answer } from './coordinator.ts';
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
    encode: encoder => {
      const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, ofTopic]) =>
        compactArray(
          encoder().writeUVarIntString(topic),
          ofTopic.map(({ partition }) => encoder().writeInt32(partition)),
        ).writeUVarInt(0),
      );
      return compactArray(encoder().writeUVarInt(0).writeUVarIntString(group), topics)
        .writeBoolean(true)
        .writeUVarInt(0);
    },
    decode: decoder => {
      decoder.readTaggedFields();
      decoder.readInt32();
      const places = decoder.readUVarIntArray(ofTopic => {
        const topic = ofTopic.readUVarIntString() ?? '';
        const offsets = ofTopic.readUVarIntArray(each => {
          const partition = each.readInt32();
          const offset = Number(each.readInt64().toString());
          each.readInt32();
          each.readUVarIntString();
          const answer = { topic, partition, offset, code: each.readInt16() };
          each.readTaggedFields();
          return answer;
        });
        ofTopic.readTaggedFields();
        return offsets;
      });
      const code = decoder.readInt16();
      return code === 0 ? places.flat() : [{ topic: '', partition: -1, offset: -1, code }];
    },
  };
}
