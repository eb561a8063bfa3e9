import type { Message } from '../core/message.ts';

/** Where a message is, and whose it is. */
export type MessagePlace = Pick<Message, 'topic' | 'partition' | 'offset' | 'key'>;

/** As people read it: `topic[partition]@offset key`. */
export function placeText({ topic, partition, offset, key }: MessagePlace): string {
  return `${topic}[${partition}]@${offset} key ${key ?? 'none'}`;
}

export function placeOf({ topic, partition, offset, key }: MessagePlace): MessagePlace {
  return { topic, partition, offset, key };
}
