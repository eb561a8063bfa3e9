import type { OperatorFunction } from 'rxjs';
import type { Delivery, Ok } from '../src/core/delivery.ts';
import { type Message, type OutgoingMessage, deriveId } from '../src/core/message.ts';
import { causedBy } from '../src/core/provenance.ts';
import type { Topic } from '../src/core/topic.ts';
import type { NamedPublisher } from './named-publisher.ts';
import { type SendOptions, sendStage } from './send-stage.ts';

export interface PublishToOptions<A> extends SendOptions {
  /** The key of the output; default: the key of the message it comes from. */
  readonly key?: (value: A, message: Message) => string | null;
  /** The event time of the output, ms; default: that of the message it comes from. */
  readonly time?: (value: A, message: Message) => number;
  /** Tells apart outputs with the same key and event time; default: the id of the message it comes from. */
  readonly ordinal?: (value: A, message: Message) => string | number;
  /** Headers of the output beside those that tell where it comes from; default none. */
  readonly headers?: (value: A, message: Message) => Readonly<Record<string, string>>;
}

/**
 * Publishes each value and passes it on once the broker has it, so that whatever settles the delivery after
 * this settles it after the output is stored. What cannot be written or stored becomes a failure. The id of
 * the output is derived from pipeline, topic, key, event time and ordinal: the same input gives the same id.
 *
 * ```
 * in      --1---2---F--|
 * topic   --1---2------      stored a little later
 * out     ---1---2--F--|
 * ```
 *
 * While the bus refuses what it may take later (a broker that is away, a topic that is full), everything waits
 * here in order, and with it the source, whose credits are bounded; the oldest is tried again with backoff. What
 * the bus refuses for good (too large, no such topic) becomes a `publish` failure at once.
 * Outputs leave in the order in which the broker stored them. Unsubscribing forgets what is on its way: those
 * deliveries stay unsettled, and their source takes them back.
 *
 * @throws OptionError when subscribed to, for a backoff out of range
 */
export function publishTo<A>(
  topic: Topic<A>,
  publisher: NamedPublisher,
  options: PublishToOptions<A> = {},
): OperatorFunction<Delivery<A>, Delivery<A>> {
  const { name = 'publishTo' } = options;
  publisher.announce?.(topic);
  const outgoing = outgoingOf(topic, publisher.pipeline ?? name, options);
  const make = ({ value, message }: Ok<A>): OutgoingMessage => outgoing(value, message);
  return sendStage(name, publisher, { codec: topic.codec.name, make }, options);
}

/** How a value becomes the message of a topic. */
function outgoingOf<A>(
  topic: Topic<A>,
  pipeline: string,
  { key, time, ordinal, headers: own }: PublishToOptions<A>,
): (value: A, parent: Message) => OutgoingMessage {
  return (value, parent) => {
    const outKey = key ? key(value, parent) : parent.key;
    const timestamp = time ? time(value, parent) : parent.timestamp;
    const id = deriveId(
      pipeline,
      topic.name,
      outKey,
      timestamp,
      ordinal ? ordinal(value, parent) : parent.id,
    );
    const caused = causedBy(parent, id, topic.codec.version);
    return {
      topic: topic.name,
      key: outKey,
      payload: topic.codec.encode(value),
      timestamp,
      id,
      headers: own === undefined ? caused : caused.concat(own(value, parent)),
      patient: true,
    };
  };
}
