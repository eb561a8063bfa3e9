import { circuitBreaker, decode, publishTo, retryWithBackoff } from '../../operators/index.ts';
import { type DeadLetter, readDeadLetter } from '../../src/core/dead-letter.ts';
import { historyOf } from '../../src/core/message-history.ts';
import {
  BusError,
  FaultInjector,
  type Message,
  type Pipeline,
  Runtime,
  pipeline,
  redrive,
  textCodec,
  topic,
} from '../../src/index.ts';
import { PipelineDriver, firstOccurrences } from '../../src/testing/index.ts';

/**
 * What is to become of a message: `succeeds` after so many failed attempts, `heals` once it has been a dead letter
 * so many times, or fails for ever: as `poison` after its retries, as `nonsense` at once.
 */
export interface Fate {
  readonly kind: 'succeeds' | 'heals' | 'poison' | 'nonsense';
  readonly times: number;
}

const words = topic('words', textCodec, { partitions: 2 });
const done = topic('done', textCodec, { partitions: 2 });
const letters = topic('cryptorun-dlq', textCodec, { partitions: 2 });
const quarantine = topic('cryptorun-quarantine', textCodec);

class NonsenseError extends Error {
  readonly retryable = false;
}

/** @throws where the fate of the message wants this attempt to fail */
function meetFate(text: string, message: Message, attempt: number): string {
  const [, kind = '', times = ''] = text.split(' ');
  if (kind === 'nonsense') throw new NonsenseError('nonsense');
  const { attempts, deadLetters } = historyOf(message);
  const fails = {
    succeeds: attempt - attempts <= Number(times),
    heals: deadLetters < Number(times),
    poison: true,
  }[kind];
  if (fails !== false) throw new Error(`${kind}: attempt ${attempt} fails`);
  return text;
}

function enduring(): Pipeline {
  return pipeline('endure', ({ source, publisher, state, scheduler, onFailure, circuitChanged }) => {
    const trying = retryWithBackoff<string, string>(
      (text, { message, attempt }) => meetFate(text, message, attempt),
      { scheduler, state, random: () => 0.5 },
    );
    return source(words, { maxInFlight: 8 }).pipe(
      decode(words),
      circuitBreaker(trying, {
        failures: 3,
        coolDownMs: 500,
        demand: 8,
        scheduler,
        onChange: circuitChanged,
      }),
      publishTo(done, publisher, { scheduler }),
      onFailure(),
    );
  });
}

/** Where a message is at the end. */
export type Place = 'output' | 'dead letter' | 'quarantine';

/** A pipeline that retries, breaks its circuit and buries what fails, on a bus on which everything goes wrong. */
export class FailingWorld {
  readonly faults: FaultInjector;
  /** By number, in the order given. */
  readonly fates: Fate[] = [];
  readonly keys: string[] = [];
  /** By number, the last dead letter of it that was sent back; 0: none. */
  readonly redriven: number[] = [];
  areLettersAway = false;
  /** So many messages of the pipeline are refused for now. */
  refusals = 0;
  readonly #driver: PipelineDriver;
  #other: Runtime | undefined;

  private constructor(driver: PipelineDriver, faults: FaultInjector) {
    this.#driver = driver;
    this.faults = faults;
  }

  static async begin(): Promise<FailingWorld> {
    const faults = new FaultInjector();
    const topics = Object.fromEntries(
      [words, done, letters, quarantine].map(({ name, settings }) => [name, settings]),
    );
    const driver = await PipelineDriver.start({
      topics,
      faults,
      pipelines: () => [enduring()],
    });
    const world = new FailingWorld(driver, faults);
    const { bus } = driver;
    const send = bus.send.bind(bus);
    bus.send = (message, told) => {
      if (world.#refuses(message.topic)) told(new BusError('publish-timeout', 'away for now'), undefined);
      else send(message, told);
    };
    return world;
  }

  #refuses(to: string): boolean {
    if (this.areLettersAway && [letters.name, quarantine.name].includes(to)) return true;
    return to !== words.name && this.refusals > 0 && this.refusals-- > 0;
  }

  give(fate: Fate, key: string): void {
    const number = this.fates.push(fate) - 1;
    this.keys.push(key);
    this.#driver.give(words, `${number} ${fate.kind} ${fate.times}`, { key, id: `m${number}` });
  }

  pass(ms: number): void {
    this.#driver.runFor(ms);
  }

  /** As a killed process would: nothing is drained. */
  async crash(): Promise<void> {
    await this.leave();
    await this.#driver.restart();
  }

  get isShared(): boolean {
    return this.#other !== undefined;
  }

  /** A second member takes some of the partitions. */
  async join(): Promise<void> {
    const { scheduler, bus } = this.#driver;
    this.#other = new Runtime([enduring()], bus, { scheduler });
    await this.#other.start();
  }

  leave(): Promise<void> {
    this.#other?.stop();
    this.#other = undefined;
    return Promise.resolve();
  }

  /** Sends all dead letters back that have not been sent before. */
  async redrive(): Promise<void> {
    this.fates.forEach((_, number) => {
      const counts = this.lettersOf(number).map(({ count, topic: at }) => (at === letters.name ? count : 0));
      this.redriven[number] = Math.max(0, ...counts);
    });
    await this.#driver.during(redrive(this.#driver.bus));
  }

  /** Everything is well again, for long enough; then each dead letter gets one more chance. */
  async settle(): Promise<void> {
    this.areLettersAway = false;
    if (this.faults.disconnected) this.faults.reconnect();
    await this.leave();
    this.pass(600_000);
    await this.redrive();
    this.pass(600_000);
  }

  async pending(): Promise<number> {
    const { groups } = await this.#driver.bus.getTopicInfo(words.name);
    return groups.filter(({ group }) => group === 'endure').reduce((sum, { lag }) => sum + lag, 0);
  }

  /** The numbers of the messages that came out, each once, in the order of their partitions. */
  get outputs(): readonly number[] {
    return firstOccurrences(this.#driver.messages(done)).map(numberOf);
  }

  /** Each dead letter once, quarantine included, by the number of its message. */
  lettersOf(number: number): readonly DeadLetter[] {
    const all = [...this.#driver.messages(letters), ...this.#driver.messages(quarantine)];
    return firstOccurrences(all)
      .filter(letter => numberOf(letter) === number)
      .flatMap(letter => readDeadLetter(letter) ?? []);
  }
}

function numberOf({ payload }: Message): number {
  return Number(String(Buffer.from(payload ?? [])).split(' ')[0]);
}
