/** Testing pipelines and operators in virtual time: marbles of deliveries, a publisher and a bus to look into. */
export {
  type DeliveryKit,
  type EndOptions,
  type ExpectedSettlements,
  deliveryTest,
} from './delivery-test.ts';
export { DeliveryTestError } from './compare-frames.ts';
export type { DeliverySource, Givens } from './delivery-sources.ts';
export {
  type ExpectedFailure,
  type Given,
  failureWith,
  given,
  givenFailure,
  givenMarker,
  givenRawMarker,
} from './given.ts';
export {
  type ConformanceBusOptions,
  type ConformanceCase,
  type ConformanceContext,
  type ConformanceExtra,
  type ConformanceNeed,
  busConformance,
  skipReason,
} from './conformance.ts';
export { type MessageSpec, messageOf } from './message-builder.ts';
export { type LedgerEntry, type Outcome, SettlementLedger } from './settlement-ledger.ts';
export {
  type GivenMessage,
  PipelineDriver,
  type PipelineDriverOptions,
  firstOccurrences,
} from './pipeline-driver.ts';
export { FakePublisher, type FakePublisherOptions } from './fake-publisher.ts';
export { RecordingMeter } from './recording-meter.ts';
export { type VirtualBus, type VirtualBusOptions, virtualBus } from './virtual-bus.ts';
export {
  type ExpectedCase,
  type OperatorCase,
  type OperatorCaseName,
  type OperatorSubject,
  type OperatorTools,
  operatorCases,
} from './operator-cases.ts';
export type { SettlementMarbles } from './settlement-marbles.ts';
