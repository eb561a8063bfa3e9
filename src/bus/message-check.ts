import type { OutgoingMessage } from '../core/message.ts';
import { BusError } from '../core/publisher.ts';
import type { TopicSettings } from '../core/topic.ts';

/** Characters and bytes of key and headers together: enough for traces and causes, too few to fill a partition. */
const maxHeadLength = 1024 * 1024;
/** What a message that was taken may have grown by when it comes as a dead letter or a retry, with what it has been through. */
const reportLength = 64 * 1024;

/** @throws BusError `message-too-large` or `invalid-message` naming the topic, what was found, and the limit */
export function checkMessage(
  message: OutgoingMessage,
  { maxMessageBytes }: Pick<TopicSettings, 'maxMessageBytes'>,
): void {
  const { topic, timestamp } = message;
  const size = message.payload?.length ?? 0;
  if (size > maxMessageBytes) {
    throw new BusError(
      'message-too-large',
      `${topic}: a payload of ${size} bytes, the limit is ${maxMessageBytes}: make it smaller or raise maxMessageSize`,
    );
  }
  const head = (message.key?.length ?? 0) + (message.headers?.length ?? 0);
  const maxHead = message.reserved === true ? maxHeadLength + reportLength : maxHeadLength;
  if (head > maxHead) {
    throw new BusError(
      'message-too-large',
      `${topic}: key and headers of ${head} bytes, the limit is ${maxHead}: put what is large into the payload`,
    );
  }
  if (timestamp !== undefined && !Number.isFinite(timestamp)) {
    throw new BusError(
      'invalid-message',
      `${topic}: timestamp ${timestamp} is no time: use milliseconds since the epoch, or leave it out for now`,
    );
  }
}
