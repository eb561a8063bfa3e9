import { historyOf } from '../../src/core/message-history.ts';
import type { Message } from '../../src/index.ts';
import type { Call } from './handler.ts';

/** Sees that the number of each attempt is beyond those before it. */
export class AttemptWatch {
  /** In words, what went back. */
  readonly problems: string[] = [];
  /** Messages that have come more than once: from one place, or sent twice. */
  readonly cameAgain = new Set<number>();
  readonly #sendings = new Set<string>();
  readonly #storedAt: (place: string) => number;
  /** By place, the last attempt since the message came from there. */
  readonly #known = new Map<string, number>();
  /** By life, the last attempt; undefined once there may be copies of a message that go their own ways. */
  #lives: Map<string, number> | undefined = new Map();

  /** @param storedAt what is stored of the attempts at a message, which nothing may bring back */
  constructor(storedAt: (place: string) => number) {
    this.#storedAt = storedAt;
  }

  /** A delivery has come from its source. */
  delivered(number: number, message: Message): void {
    const { rounds, deadLetters, redrive } = historyOf(message);
    const sending = [number, rounds, deadLetters, redrive].join(' ');
    if (this.#sendings.has(sending)) this.cameAgain.add(number);
    this.#sendings.add(sending);
    const place = placeOf(message);
    if (!this.#known.has(place)) {
      this.#known.set(place, 0);
      return;
    }
    this.copied();
    this.#known.set(place, this.#storedAt(place));
  }

  called({ number, attempt, history, message }: Call): void {
    const place = placeOf(message);
    const count = attempt - history.attempts;
    if (count <= (this.#known.get(place) ?? 0))
      this.problems.push(`attempt ${count} at ${number} again, at ${place}`);
    this.#known.set(place, count);
    const life = `${number}/${history.deadLetters}`;
    if (attempt <= (this.#lives?.get(life) ?? 0)) this.problems.push(`attempt ${attempt} at ${number} again`);
    this.#lives?.set(life, attempt);
  }

  /** From now on the same message may be under way more than once. */
  copied(): void {
    this.#lives = undefined;
  }
}

function placeOf({ topic, partition, offset }: Message): string {
  return `${topic}/${partition}/${offset}`;
}
