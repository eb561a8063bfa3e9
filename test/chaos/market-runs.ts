import type { KafkaDriverName } from '../../src/bus/kafka/kafka-options.ts';
import type { Guarantee } from '../../src/runtime/pipeline.ts';
import { type ChaosReport, runDisturbed } from './disturbed-run.ts';
import { type ChaosKind, plannedEvents } from './events.ts';
import { type Found, inWords, isBad } from './found.ts';
import { ChaosGround } from './ground.ts';
import type { Difference } from './outcome.ts';

export interface MarketRunsOptions {
  readonly workers: number;
  readonly brokers: number;
  /** Of Kafka. */
  readonly version: string;
  readonly symbols: readonly string[];
  readonly days: number;
  readonly partitions: number;
  /** How many a run. */
  readonly events: number;
  readonly kinds: readonly ChaosKind[];
  readonly guarantee: Guarantee;
  readonly plantedBug: boolean;
  /** Tells of no events. */
  readonly quiet: boolean;
}

/** Runs of the market job, each told of as it ends, on brokers that stay the same for as long as nothing is found. */
export class MarketRuns {
  readonly #options: MarketRunsOptions;
  #ground: ChaosGround | undefined;

  constructor(options: MarketRunsOptions) {
    this.#options = options;
  }

  async foundIn(seed: number, driver: KafkaDriverName): Promise<Found> {
    const { workers, events, guarantee, plantedBug, quiet } = this.#options;
    const began = Date.now();
    const seconds = (): number => Math.round((Date.now() - began) / 1000);
    const ground = await this.#cleared();
    const report = await runDisturbed(ground, {
      workers,
      events: plannedEvents(seed, events, this.#options),
      driver,
      sessionTimeoutMs: 10_000,
      guarantee,
      plantedBug,
      ...(!quiet && { report: what => console.log(`  ${String(seconds()).padStart(4)} s  ${what}`) }),
    });
    const found = foundBy(report);
    const { signals, exitCodes, restarts, endings } = report;
    console.log(
      `seed ${seed} on ${driver}: ${inWords(found)}, signals ${signals}, exit codes ${exitCodes.join(' ')}, ended by themselves ${restarts}, ${seconds()} s`,
    );
    for (const ending of endings) console.log(`  ${ending.trimEnd()}`);
    if (isBad(found, guarantee)) {
      tellMore(report, guarantee);
      console.log(`  the brokers' data is kept in ${ground.brokerFolder}`);
      this.#ground = undefined;
      await ground.close({ keepBrokers: true });
    }
    return found;
  }

  async close(): Promise<void> {
    await this.#ground?.close();
  }

  async #cleared(): Promise<ChaosGround> {
    if (this.#ground !== undefined) {
      await this.#ground.clear();
      return this.#ground;
    }
    const { workers, brokers, version, symbols, days, partitions } = this.#options;
    // One line more, for a worker that is added.
    const lines = workers + 1;
    this.#ground = await ChaosGround.open({ brokers, version, lines, symbols, days, partitions });
    return this.#ground;
  }
}

function tellMore({ repeated, differences, said, backwards }: ChaosReport, guarantee: Guarantee): void {
  if (guarantee === 'exactly-once') for (const line of repeated) console.log(`  twice: ${line}`);
  console.log(differences);
  console.log(said);
  for (const line of backwards) console.log(`  backwards: ${line}`);
}

function foundBy({ differences, backwards, vanished }: ChaosReport): Found {
  const sum = (what: keyof Difference): number =>
    Object.values(differences).reduce((total, difference) => total + difference[what], 0);
  return {
    lost: sum('lost'),
    wrong: sum('wrong'),
    reordered: sum('reordered'),
    duplicates: sum('duplicates'),
    backwards: backwards.length,
    vanished,
  };
}
