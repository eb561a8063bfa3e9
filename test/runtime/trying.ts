import { decode, retryWithBackoff } from '../../operators/index.ts';
import { type Pipeline, Runtime, pipeline } from '../../src/index.ts';
import type { AttemptsRecord } from '../../src/runtime/snapshot-format.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { storedAttempts } from './stored-attempts.ts';
import { topics, words } from './words.ts';

/** Attempts after the first. */
export const retries = 6;

/** A pipeline that fails at every word with an `!`, and what its handler was called with. */
export class Trying {
  /** `word attempt` in the order of the calls. */
  readonly calls: string[] = [];
  /** Words that fail no longer. */
  readonly healed = new Set<string>();
  readonly driver: PipelineDriver;
  #other: Runtime | undefined;

  private constructor(driver: PipelineDriver) {
    this.driver = driver;
  }

  static async begin(): Promise<Trying> {
    const made: { trying?: Trying } = {};
    const pipelines = (): Pipeline[] => (made.trying ? [made.trying.#pipeline()] : []);
    const trying = new Trying(await PipelineDriver.start({ topics, pipelines }));
    made.trying = trying;
    await trying.kill();
    return trying;
  }

  say(word: string, key = word): void {
    this.driver.give(words, word, { key, id: word });
  }

  /** As a killed process would: what is not written is gone. */
  kill(): Promise<void> {
    return this.driver.restart();
  }

  async drainAndStart(): Promise<void> {
    await this.driver.drain(0);
    await this.driver.restart();
  }

  get isShared(): boolean {
    return this.#other !== undefined;
  }

  /** A second member takes some of the partitions. */
  async join(): Promise<void> {
    const { scheduler, bus } = this.driver;
    this.#other = new Runtime([this.#pipeline()], bus, { scheduler });
    await this.#other.start();
  }

  /** And gives them back. */
  async leave(): Promise<void> {
    if (this.#other) await this.driver.during(this.#other.drain(0));
    this.#other = undefined;
  }

  /** What the changelog holds, by `topic/partition/offset`. */
  get stored(): ReadonlyMap<string, AttemptsRecord> {
    return storedAttempts(this.driver, 'try');
  }

  /** Where a word is, `topic/partition/offset`. */
  placeOf(word: string): string {
    const message = this.driver.messages(words).find(({ id }) => id === word);
    return message === undefined ? '' : `${message.topic}/${message.partition}/${message.offset}`;
  }

  #pipeline(): Pipeline {
    return pipeline('try', ({ source, onFailure, state, scheduler }) =>
      source(words).pipe(
        decode(words),
        retryWithBackoff<string, string>(
          (word, { attempt }) => {
            this.calls.push(`${word} ${attempt}`);
            if (word.includes('!') && !this.healed.has(word)) throw new Error('as told');
            return word;
          },
          { scheduler, retries, state, jitter: 'none' },
        ),
        onFailure(),
      ),
    );
  }
}
