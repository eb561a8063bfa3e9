import type { TopicPartition } from '../../event-bus.ts';
import { type Decoder, type Encoder, compactArray } from './raw-request.ts';

/** Partitions, by topic, as versions with tagged fields write them. */
export function compactTopics<A extends TopicPartition>(
  encoder: () => Encoder,
  places: readonly A[],
  write: (place: A) => Encoder = ({ partition }) => encoder().writeInt32(partition),
): readonly Encoder[] {
  return [...Map.groupBy(places, ({ topic }) => topic)].map(([topic, ofTopic]) =>
    compactArray(encoder().writeUVarIntString(topic), ofTopic.map(write)).writeUVarInt(0),
  );
}

/** What an answer in such a version says of each partition, behind its number. */
export function readCompactTopics<A>(
  decoder: Decoder,
  read: (place: TopicPartition, decoder: Decoder) => A,
): readonly A[] {
  return decoder
    .readUVarIntArray(ofTopic => {
      const topic = ofTopic.readUVarIntString() ?? '';
      const answers = ofTopic.readUVarIntArray(each => {
        const answer = read({ topic, partition: each.readInt32() }, each);
        each.readTaggedFields();
        return answer;
      });
      ofTopic.readTaggedFields();
      return answers;
    })
    .flat();
}
