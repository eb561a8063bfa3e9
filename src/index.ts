export { type HeaderValue, MessageHeaders } from './core/headers.ts';
export {
  type Bytes,
  type Message,
  type MessageId,
  type Offset,
  type OutgoingMessage,
  type Partition,
  deriveId,
  messageId,
} from './core/message.ts';
export {
  type Codec,
  CodecError,
  type JsonCodecOptions,
  jsonCodec,
  rawCodec,
  textCodec,
} from './core/codec.ts';
export { type Topic, type TopicSettings, defaultTopicSettings, topic } from './core/topic.ts';
export { type Delivery, type Failed, type Ok, all, toEither } from './core/delivery.ts';
export { type Failure, type FailureTag } from './core/failure.ts';
export { Marker, isMarker } from './core/marker.ts';
export { BusError, type BusErrorCode, type Publisher, type Receipt } from './core/publisher.ts';
export { MarketPrice, MarketTrade, OrderBook } from './feeds/market-data.ts';
export { formatDuration, formatSize, parseDuration, parseSize } from './core/durations.ts';
