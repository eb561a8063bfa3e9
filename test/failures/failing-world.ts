import { tap } from 'rxjs';
import { decode, publishTo } from '../../operators/index.ts';
import { retries } from '../../pipelines/index.ts';
import { type DeadLetter, readDeadLetter } from '../../src/core/dead-letter.ts';
import { historyHeaders } from '../../src/core/message-history.ts';
import {
  BusError,
  FaultInjector,
  type Message,
  type OutgoingMessage,
  type Pipeline,
  Runtime,
  type Topic,
  pipeline,
  redrive,
  textCodec,
  topic,
} from '../../src/index.ts';
import { defaultStalledAfterMs } from '../../src/runtime/progress-watch.ts';
import { PipelineDriver, firstOccurrences } from '../../src/testing/index.ts';
import { storedAttempts } from '../runtime/stored-attempts.ts';
import { AttemptWatch } from './attempt-watch.ts';
import { type Fate, numberIn, textOf } from './handler.ts';
import type { FailingChain } from './random-chain.ts';

const forEver = { retentionMs: 1e12 };
const words = topic('words', textCodec, { partitions: 3, ...forEver });
const done = topic('done', textCodec, { partitions: 2, ...forEver });
const letters = topic('cryptorun-dlq', textCodec, { partitions: 2, ...forEver });
const quarantine = topic('cryptorun-quarantine', textCodec, forEver);
const rounds = topic('cryptorun-retry', textCodec, { partitions: 2, ...forEver });

/** The clock on the wall does not begin where that of the timers does. */
const firstDay = 1e12;

const isAway = 'away for now';
const nothingSettled = 'nothing was settled for';

/** What can be away for a while. */
export type Outage = 'letters' | 'retry topic' | 'outputs';

const outOfReach: Readonly<Record<Outage, readonly string[]>> = {
  letters: [letters.name, quarantine.name],
  'retry topic': [rounds.name],
  outputs: [done.name],
};

/** A pipeline that fails, the one that brings back what it sends round, and a bus on which everything goes wrong. */
export class FailingWorld {
  readonly faults: FaultInjector;
  readonly chain: FailingChain;
  readonly watch: AttemptWatch;
  /** By number, in the order given. */
  readonly fates: Fate[] = [];
  readonly keys: string[] = [];
  /** By number, the last dead letter of it that was sent back; 0: none. */
  readonly redriven: number[] = [];
  readonly away: Set<Outage> = new Set();
  /** So many messages of the pipelines are refused for now. */
  refusals = 0;
  /** And so many are stored twice. */
  repeats = 0;
  readonly #driver: PipelineDriver;
  #wallMs = firstDay;
  /** How long the bus has answered nothing, and whether that was ever longer than a pipeline waits for an answer. */
  #awayMs = 0;
  #wasLongAway = false;
  #other: Runtime | undefined;

  private constructor(chain: FailingChain, driver: PipelineDriver, faults: FaultInjector) {
    this.chain = chain;
    this.#driver = driver;
    this.faults = faults;
    this.watch = new AttemptWatch(place => (chain.remembers ? this.#storedAt(place) : 0));
    const { bus, scheduler } = driver;
    scheduler.now = () => scheduler.frame + this.#wallMs;
    const send = bus.send.bind(bus);
    bus.send = (message, told) => {
      const refusal = this.#refusalOf(message.topic, message.payload);
      if (refusal) {
        told(refusal, undefined);
        return;
      }
      if (this.#isRepeated(message)) send(message, () => undefined);
      send(message, told);
    };
  }

  static async begin(chain: FailingChain): Promise<FailingWorld> {
    const faults = new FaultInjector();
    const topics = Object.fromEntries(
      [words, done, letters, quarantine, rounds].map(({ name, settings }) => [name, settings]),
    );
    const made: { world?: FailingWorld } = {};
    const driver = await PipelineDriver.start({
      topics,
      faults,
      pipelines: () => made.world?.pipelines() ?? [],
      runtime,
    });
    const world = new FailingWorld(chain, driver, faults);
    made.world = world;
    await driver.restart();
    return world;
  }

  pipelines(): readonly Pipeline[] {
    const { chain, watch } = this;
    const enduring = pipeline('endure', context => {
      const { source, publisher, scheduler, onFailure } = context;
      return source(words, { maxInFlight: chain.maxInFlight }).pipe(
        tap(({ message }) => watch.delivered(numberOf(message), message)),
        decode(words),
        chain.make({ ...context, called: call => watch.called(call) }),
        publishTo(done, publisher, { scheduler, ordinal: text => text }),
        onFailure({ quarantineAfter: chain.quarantineAfter }),
      );
    });
    return [enduring, retries()];
  }

  #refusalOf(to: string, payload: Message['payload']): BusError | undefined {
    if ([...this.away].some(outage => outOfReach[outage].includes(to)))
      return new BusError('publish-timeout', isAway);
    if (to !== words.name && this.refusals > 0) {
      this.refusals--;
      return new BusError('publish-timeout', isAway);
    }
    const isUnpublishable = to === done.name && kindIn(payload) === 'unpublishable';
    return isUnpublishable ? new BusError('message-too-large', 'no room for it anywhere') : undefined;
  }

  /** What is given is another message if it is given again: that is for its sender to tell. */
  #isRepeated({ topic: to, headers }: OutgoingMessage): boolean {
    if (to === words.name && headers?.has(historyHeaders.originTopic) !== true) return false;
    return this.repeats > 0 && this.repeats-- > 0;
  }

  give(fate: Fate, key: string): void {
    const number = this.fates.push(fate) - 1;
    this.keys.push(key);
    this.#driver.give(words, textOf(number, fate), { key, id: `m${number}` });
  }

  pass(ms: number): void {
    this.#awayMs = this.faults.disconnected ? this.#awayMs + ms : 0;
    if (this.#awayMs >= defaultStalledAfterMs) this.#wasLongAway = true;
    this.#driver.runFor(ms);
  }

  /** The clock on the wall is set; no timer hears of it. */
  setClockBy(ms: number): void {
    this.#wallMs += ms;
  }

  /** As a killed process would: nothing is drained. */
  async crash(): Promise<void> {
    this.watch.copied();
    this.#other?.stop();
    this.#other = undefined;
    await this.#driver.restart();
  }

  /** As a process that is told to end. */
  async drainAndStart(deadlineMs: number): Promise<void> {
    this.watch.copied();
    await this.#driver.drain(deadlineMs);
    await this.#driver.restart();
  }

  get isShared(): boolean {
    return this.#other !== undefined;
  }

  /** A second member takes some of the partitions. */
  async join(): Promise<void> {
    const { scheduler, bus } = this.#driver;
    this.watch.copied();
    this.#other = new Runtime(this.pipelines(), bus, { ...runtime, scheduler });
    await this.#other.start();
  }

  /** And gives them back, having finished what it can or not. */
  async leave(how: 'drained' | 'killed'): Promise<void> {
    this.watch.copied();
    if (this.#other && how === 'drained') await this.#driver.during(this.#other.drain(200));
    this.#other?.stop();
    this.#other = undefined;
  }

  /** The next messages of the pipelines are stored twice. */
  repeatNext(times: number): void {
    this.watch.copied();
    this.repeats = times;
  }

  /** Sends all dead letters back that have not been sent before. */
  async redrive(): Promise<void> {
    this.connect();
    this.fates.forEach((_, number) => {
      const counts = this.lettersOf(number).map(({ count, topic: at }) => (at === letters.name ? count : 0));
      this.redriven[number] = Math.max(0, ...counts);
    });
    await this.#driver.during(redrive(this.#driver.bus));
  }

  connect(): void {
    if (this.faults.disconnected) this.faults.reconnect();
  }

  /** Everything is well again, for long enough; then each dead letter gets one more chance. */
  async settle(): Promise<void> {
    this.away.clear();
    this.refusals = 0;
    this.connect();
    await this.leave('killed');
    this.pass(600_000);
    await this.redrive();
    this.pass(600_000);
  }

  /** Which messages wait for a pipeline still, in its input or on their way round. */
  async pending(): Promise<ReadonlySet<number>> {
    const waiting = [
      ...(await this.#uncommitted(words, 'endure')),
      ...(await this.#uncommitted(rounds, 'retries')),
    ];
    return new Set(waiting.map(numberOf));
  }

  async #uncommitted(input: Topic<string>, group: string): Promise<readonly Message[]> {
    const { groups } = await this.#driver.bus.getTopicInfo(input.name);
    const committed = new Map(
      groups.filter(of => of.group === group).map(of => [of.partition, of.committed]),
    );
    return this.#driver
      .messages(input)
      .filter(({ partition, offset }) => offset >= (committed.get(partition) ?? 0));
  }

  /** The numbers of the messages that came out, each once, in the order of their partitions. */
  get outputs(): readonly number[] {
    return [...new Set(firstOccurrences(this.#driver.messages(done)).map(numberOf))];
  }

  /** Each dead letter once, quarantine included, by the number of its message. */
  lettersOf(number: number): readonly DeadLetter[] {
    return this.allLetters.get(number) ?? [];
  }

  get allLetters(): ReadonlyMap<number, readonly DeadLetter[]> {
    const all = [...this.#driver.messages(letters), ...this.#driver.messages(quarantine)];
    return Map.groupBy(
      firstOccurrences(all).flatMap(letter => readDeadLetter(letter) ?? []),
      ({ payload }) => numberOf({ payload }),
    );
  }

  /**
   * What made a pipeline begin anew by itself, beside a changelog that could not be reached when it began, and a bus
   * that neither took nor refused what it was sent.
   */
  get breakdowns(): readonly string[] {
    const reasons = this.#driver.events.flatMap(event => (event.kind === 'failed' ? [event.reason] : []));
    const isOfOutage = (reason: string): boolean =>
      reason.includes(isAway) || (this.#wasLongAway && reason.startsWith(nothingSettled));
    return reasons.filter(reason => !isOfOutage(reason));
  }

  #storedAt(place: string): number {
    return storedAttempts(this.#driver, 'endure').get(place)?.count ?? 0;
  }
}

const runtime = { snapshotIntervalMs: 1_000, snapshotEvery: 10 };

function numberOf({ payload }: Pick<Message, 'payload'>): number {
  return numberIn(String(Buffer.from(payload ?? [])));
}

function kindIn(payload: Message['payload']): string | undefined {
  return String(Buffer.from(payload ?? [])).split(' ')[1];
}
