import * as t from 'io-ts';
import type { Observable, OperatorFunction } from 'rxjs';
import {
  type Delivery,
  type EventBus,
  type Ok,
  type Topic,
  createEventBus,
  jsonCodec,
  topic,
} from 'cryptorun-streams';
import { deadLetter, decode, each, filterValues, mapValues } from 'cryptorun-streams/operators';
import { type MarketSettings, MomentumScore, marketPipelines } from 'cryptorun-streams/pipelines';
import { FakePublisher, deliveryTest } from 'cryptorun-streams/testing';

// As a user of the published package writes TypeScript; compiled with every check on, and never run.
const Tick = t.type({ symbol: t.string, price: t.number });
export const ticks: Topic<t.TypeOf<typeof Tick>> = topic('ticks', jsonCodec(Tick));
export const bus: EventBus = createEventBus({ kind: 'stub', maxPartitionBytes: 1_000_000 });

export const dear: OperatorFunction<
  Delivery<t.TypeOf<typeof Tick>>,
  Delivery<t.TypeOf<typeof Tick>>
> = filterValues(({ price }) => price > 100);

export const prices: Observable<Ok<number>> = bus.source(ticks.name, { group: 'prices' }).pipe(
  decode(ticks),
  dear,
  each(tick$ => tick$),
  mapValues(({ price }) => price),
  deadLetter(new FakePublisher({ pipeline: 'prices' })),
);

export const score = (value: unknown): number | undefined =>
  MomentumScore.is(value) ? value.score : undefined;
export const count = (settings: MarketSettings): number => marketPipelines(settings).length;

deliveryTest(({ cold, expectDeliveries }) => {
  expectDeliveries(cold('--|')).toBe('--|');
});

// @ts-expect-error -- the kinds are closed: a typing mistake does not compile
createEventBus({ kind: 'stubb' });
