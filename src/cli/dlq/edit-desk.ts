import { type SchedulerLike, Subscription } from 'rxjs';
import type { DeadLetter } from '../../core/dead-letter.ts';
import { inTime } from '../../core/in-time.ts';
import type { Bytes } from '../../core/message.ts';
import type { EditAnswer, EditReply } from './edit-answers.ts';
import { wholeOf } from './letter-answers.ts';

/** How long a question waits for the next letter, ms. */
const heldMs = 1_000;
/** How long a letter waits for the command that edits it; past that the command is taken to be gone, ms. */
const patienceMs = 30_000;
/** Base64 of the largest payload that is put together from parts. */
const maxLength = 96 * 1024 * 1024;

interface Waiting extends PromiseWithResolvers<Bytes | undefined> {
  readonly letter: DeadLetter;
  /** What has come of its new payload, base64. */
  readonly parts: string[];
}

/** Where the letters of a job wait, one at a time, for the command that edits them. */
export class EditDesk {
  readonly #scheduler: SchedulerLike;
  readonly #abandoned: () => void;
  readonly #patience = new Subscription();
  #limit: Subscription | undefined;
  #waiting: Waiting | undefined;
  #arrived = Promise.withResolvers<undefined>();
  #isOver = false;

  /** @param abandoned told once nobody has asked for a letter for too long */
  constructor(scheduler: SchedulerLike, abandoned: () => void) {
    this.#scheduler = scheduler;
    this.#abandoned = abandoned;
  }

  /** The new payload of a letter, once the command has told it. */
  readonly transform = (letter: DeadLetter): Promise<Bytes | undefined> => {
    const waiting = { ...Promise.withResolvers<Bytes | undefined>(), letter, parts: [] };
    if (this.#isOver) waiting.reject(new Error('the redrive has ended'));
    else this.#waiting = waiting;
    this.heard();
    this.#arrive();
    return waiting.promise;
  };

  /** Takes what became of the last letter, and answers the next one, which it waits for a moment. */
  async next(reply?: EditReply): Promise<EditAnswer> {
    this.heard();
    if (reply) this.#take(reply);
    if (reply?.kind === 'part') return { isOver: this.#isOver };
    if (this.#waiting === undefined && !this.#isOver) {
      await inTime(this.#arrived.promise, heldMs, this.#scheduler, () => undefined);
    }
    return this.#answer();
  }

  /** The command is there still. */
  heard(): void {
    this.#limit?.unsubscribe();
    if (this.#isOver) return;
    this.#limit = this.#scheduler.schedule(() => {
      if (this.#waiting) this.#abandoned();
    }, patienceMs);
    this.#patience.add(this.#limit);
  }

  /** There will be no more letters: the one that waits is not edited. */
  close(): void {
    this.#isOver = true;
    this.#patience.unsubscribe();
    this.#waiting?.reject(new Error('the redrive has ended'));
    this.#waiting = undefined;
    this.#arrive();
  }

  #answer(): EditAnswer {
    return { isOver: this.#isOver, ...(this.#waiting && { letter: wholeOf(this.#waiting.letter) }) };
  }

  #arrive(): void {
    this.#arrived.resolve(undefined);
    this.#arrived = Promise.withResolvers();
  }

  #take(reply: EditReply): void {
    const waiting = this.#waiting;
    // An answer that comes twice, or for a letter of before.
    if (waiting?.letter.id !== reply.letter) return;
    if (reply.kind === 'part') {
      waiting.parts.push(reply.base64);
      if (waiting.parts.reduce((sum, { length }) => sum + length, 0) <= maxLength) return;
      waiting.reject(new RangeError('its new payload is too long'));
    } else if (reply.kind === 'failed') waiting.reject(new Error(reply.reason));
    else waiting.resolve(reply.kind === 'left' ? undefined : payloadOf(waiting.parts, reply.base64));
    this.#waiting = undefined;
  }
}

function payloadOf(parts: readonly string[], last: string | null): Bytes {
  return last === null ? null : Buffer.from([...parts, last].join(''), 'base64');
}
