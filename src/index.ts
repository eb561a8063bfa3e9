export { type OwnBackends, backends, createEventBus } from './backends.ts';
export { FaultInjector } from './bus/embedded/faults.ts';
export { type Capabilities, type Capability } from './bus/capabilities.ts';
export {
  type EventBus,
  type PublishResult,
  type SourceLoad,
  type SourceOptions,
  type StartFrom,
  type StartOffset,
  type SubscribeOptions,
  type SubscriptionHandle,
  type TopicInfo,
  type TopicPartition,
} from './bus/event-bus.ts';
export {
  type SettledOffset,
  type TransactionOptions,
  type TransactionSession,
  type Transactions,
} from './bus/transactions.ts';
export { type BusHealth } from './bus/health.ts';
export {
  type ConsumingOptions,
  type KafkaDriverName,
  type KafkaOptions,
  type PublishingOptions,
} from './bus/kafka/kafka-options.ts';
export {
  type KafkaSasl,
  type KafkaSecurity,
  type KafkaTls,
  type Secret,
} from './bus/kafka/kafka-security.ts';
export { publishMarker } from './bus/publish-marker.ts';
export { BackendRegistry } from './bus/registry.ts';
export {
  type Codec,
  CodecError,
  type JsonCodecOptions,
  jsonCodec,
  rawCodec,
  textCodec,
} from './core/codec.ts';
export { type DeadLetter } from './core/dead-letter.ts';
export { type Delivery, type Failed, type Ok, all, toEither } from './core/delivery.ts';
export { formatDuration, formatSize, parseDuration, parseSize } from './core/durations.ts';
export { type Failure, type FailureTag } from './core/failure.ts';
export { type HeaderValue, type LateText, MessageHeaders } from './core/headers.ts';
export { Later, later } from './core/later.ts';
export { Marker, isMarker, markerOf } from './core/marker.ts';
export {
  type Bytes,
  type Message,
  type MessageId,
  type Offset,
  type OutgoingMessage,
  type Partition,
  deriveId,
  messageId,
  offset,
} from './core/message.ts';
export { type Counter, type Meter } from './core/meter.ts';
export { provenance } from './core/provenance.ts';
export { BusError, type BusErrorCode, type Publisher, type Receipt } from './core/publisher.ts';
export { type StateCodec, type StateStore, jsonState } from './core/state.ts';
export { StateRefused, decodeState } from './core/decode-state.ts';
export { type Table, tableOf } from './core/table.ts';
export {
  type Topic,
  type TopicNamed,
  type TopicSettings,
  defaultTopicSettings,
  topic,
} from './core/topic.ts';
export { groupDeadLetters, type ListOptions, listDeadLetters } from './dlq/list-dead-letters.ts';
export { type LetterGroup } from './dlq/letter-group.ts';
export { type LetterSelection } from './dlq/letter-selection.ts';
export { redrive } from './dlq/redrive.ts';
export { type LetterTransform, type RedriveOptions, type RedriveRecord } from './dlq/redrive-options.ts';
export { type RedriveFailure, type RedriveProgress, type RedriveReport } from './dlq/redrive-tally.ts';
export { MarketPrice, MarketTrade, OrderBook } from './feeds/market-data.ts';
export {
  type BuildPipeline,
  type FailurePolicy,
  type Guarantee,
  type Pipeline,
  type PipelineContext,
  type PipelineOptions,
  pipeline,
} from './runtime/pipeline.ts';
export { PipelineBuildError } from './runtime/pipeline-checks.ts';
export { PipelineStopped } from './runtime/failure-policy.ts';
export { StateVersionError } from './runtime/pipeline-state.ts';
export { type DrainEnd, type Drained, type OldestLeft, drainedText } from './runtime/drained.ts';
export { type PipelineEvent, type PipelineStatus } from './runtime/pipeline-status.ts';
export { ensureTopic } from './runtime/ensure-topic.ts';
export { Runtime, type RuntimeOptions, run } from './runtime/runtime.ts';
export { type MetricsCallback, SeriesMeter } from './runtime/series.ts';
export { type Acceptance, type Accepted } from './spill/acceptance.ts';
export { createSpillingPublisher } from './spill/create-spilling-publisher.ts';
export { type RefusedMessage } from './spill/refused-log.ts';
export { type SpillEvent } from './spill/spill-event.ts';
export { type SpillKeySource } from './spill/spill-key.ts';
export { type SpillOptions } from './spill/spill-options.ts';
export { type SpillStatus, SpillingPublisher } from './spill/spilling-publisher.ts';
