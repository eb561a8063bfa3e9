import type { KafkaDriver, PartitionOffset } from '../driver.ts';

/** What a group has committed. */
export interface GroupOffset extends PartitionOffset {
  readonly group: string;
}

/** Asks all groups what they have committed. */
type Look = () => Promise<readonly GroupOffset[]>;

/**
 * What all groups have committed. Many who ask at once share one look, which begins after the last of them has asked:
 * none is told of anything older than its question.
 */
export class GroupOffsets {
  readonly #driver: Pick<KafkaDriver, 'groups' | 'committed'>;
  #questions = 0;
  #answered = 0;
  #offsets: Promise<readonly GroupOffset[]> = Promise.resolve([]);

  constructor(driver: Pick<KafkaDriver, 'groups' | 'committed'>) {
    this.#driver = driver;
  }

  /** To be called when a question is asked; what it gives, when its answer is needed. */
  asked(): Look {
    const question = ++this.#questions;
    return () => {
      if (this.#answered < question) {
        this.#answered = this.#questions;
        this.#offsets = this.#look();
      }
      return this.#offsets;
    };
  }

  async #look(): Promise<readonly GroupOffset[]> {
    const groups = await this.#driver.groups();
    const committed = await Promise.all(
      groups.map(async group => (await this.#driver.committed(group)).map(offset => ({ ...offset, group }))),
    );
    return committed.flat();
  }
}
