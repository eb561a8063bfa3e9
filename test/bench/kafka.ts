import type { Observable } from 'rxjs';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { textCodec } from '../../src/core/codec.ts';
import type { KafkaDriverName } from '../../src/bus/kafka/kafka-options.ts';
import type { Delivery } from '../../src/core/delivery.ts';
import { topic } from '../../src/core/topic.ts';
import { decode, mapValues } from '../../operators/index.ts';
import type { Benchmark, Twin, Work } from './benchmark.ts';
import { benchmarks as exactlyOnce } from './kafka-exactly-once.ts';
import { javaConsumes, javaPaced, javaPublishes, javaPublishesAndConsumes } from './kafka-java.ts';
import { consumed, onBrokers, onBus, pacedOn, publishAll, total } from './kafka-load.ts';
import { rawConsumes, rawPaced, rawPublishes, rawPublishesAndConsumes } from './kafka-raw.ts';
import type { RawClient } from './raw-client.ts';
import { rawKafkaJs } from './raw-kafkajs.ts';
import { rawPlatformatic } from './raw-platformatic.ts';
import { stopwatch } from './stopwatch.ts';

/** A member of a group, and one chain of operators. */
function handled(bus: EventBus, name: string): Observable<Delivery<number>> {
  return bus.source(name, { group: name, maxInFlight: 10_000 }).pipe(
    decode(topic(name, textCodec)),
    mapValues(text => text.length),
  );
}

const publishes =
  (driver: KafkaDriverName): Work =>
  effort =>
    onBrokers(brokers =>
      onBus(driver, brokers, async (bus, name) => {
        await publishAll(bus, name, total(effort) / 10);
        const lap = stopwatch();
        await publishAll(bus, name, total(effort));
        return lap(total(effort));
      }),
    );

const consumes =
  (driver: KafkaDriverName): Work =>
  effort =>
    onBrokers(brokers =>
      onBus(driver, brokers, async (bus, name) => {
        await publishAll(bus, name, total(effort));
        const lap = stopwatch();
        await consumed(bus.source(name, { group: name, maxInFlight: 10_000 }), total(effort));
        return lap(total(effort));
      }),
    );

const publishesAndHandles =
  (driver: KafkaDriverName): Work =>
  effort =>
    onBrokers(brokers =>
      onBus(driver, brokers, async (bus, name) => {
        const lap = stopwatch();
        await Promise.all([
          consumed(handled(bus, name), total(effort)),
          publishAll(bus, name, total(effort)),
        ]);
        return lap(total(effort));
      }),
    );

/** A request for each millisecond keeps a broker, on the same cores, busier than what is in it. */
const gathered = { lingerMs: 2 } as const;

const pacedThrough =
  (driver: KafkaDriverName, perSecond: number): Work =>
  effort =>
    onBrokers(brokers =>
      onBus(
        driver,
        brokers,
        (bus, name) => pacedOn(bus, name, handled(bus, name), perSecond, effort),
        gathered,
      ),
    );

/** Messages a second. */
const paces: readonly number[] = [5_000, 20_000, 50_000];

/** A driver, and what it is measured beside. */
interface Driven {
  readonly driver: KafkaDriverName;
  readonly name: string;
  /** What the driver stands on. */
  readonly client: RawClient;
  /** To be published and handled a second. */
  readonly handled: number;
}

const benchmarksOf = ({ driver, name, client, handled: perSecond }: Driven): readonly Benchmark[] => [
  {
    name: `${name}, publish`,
    goal: { ofTwin: 0.9 },
    subject: publishes(driver),
    twin: rawPublishes(client),
  },
  {
    name: `${name}, consume`,
    goal: { ofTwin: 0.9 },
    subject: consumes(driver),
    twin: rawConsumes(client),
  },
  {
    name: `${name}, publish to handled`,
    goal: { perSecond, ofTwin: 0.9, rss: 512 },
    subject: publishesAndHandles(driver),
    twin: rawPublishesAndConsumes(client),
  },
  ...paces.map(pace => ({
    name: `${name}, ${pace / 1000}k/s`,
    ...(pace === 20_000 && { goal: { p99: 10 } }),
    subject: pacedThrough(driver, pace),
    twin: rawPaced(client, pace),
  })),
];

/** In the order of one driver's benchmarks. */
const java: readonly Twin[] = [
  javaPublishes,
  javaConsumes,
  javaPublishesAndConsumes,
  ...paces.map(javaPaced),
];

/** Java's own tools run beside the first driver: once a round is enough, all of it is on the same broker. */
const besideJava = (all: readonly Benchmark[]): readonly Benchmark[] =>
  all.map((benchmark, at) => ({ ...benchmark, others: java.slice(at, at + 1) }));

export const benchmarks: readonly Benchmark[] = [
  ...besideJava(benchmarksOf({ driver: 'kafkajs', name: 'kafka', client: rawKafkaJs, handled: 60_000 })),
  ...benchmarksOf({
    ...{ driver: 'platformatic', name: 'kafka on platformatic' },
    ...{ client: rawPlatformatic, handled: 100_000 },
  }),
  ...exactlyOnce,
];
