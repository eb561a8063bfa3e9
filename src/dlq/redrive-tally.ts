import type { DeadLetter } from '../core/dead-letter.ts';
import { GroupTally } from './group-tally.ts';
import type { LetterGroup } from './letter-group.ts';
import type { Skipped } from './redrive-message.ts';

/** A letter that could not be sent, and why. */
export interface RedriveFailure {
  readonly id: string;
  readonly reason: string;
}

/** How far a redrive has come. */
export interface RedriveProgress {
  /** Its consumer group, the same for the same topic, selection and transform. */
  readonly job: string;
  /** Messages that earlier runs of the job have gone through. */
  readonly before: number;
  /** Messages to go through in this run. */
  readonly total: number;
  /** Messages gone through. */
  readonly looked: number;
  /** Letters among them that the selection means. */
  readonly matched: number;
  /** Letters stored in their topics; in a dry run those that would be sent. */
  readonly sent: number;
  /** Letters among the sent whose payload is another. */
  readonly edited: number;
  /** Letters that are meant and were not sent, by why. */
  readonly skipped: Readonly<Record<Skipped, number>>;
  readonly failed: number;
  /** The first of those that failed. */
  readonly failures: readonly RedriveFailure[];
}

/** What a redrive has done. */
export interface RedriveReport extends RedriveProgress {
  /** `done`: up to the end that the topic had at its start. The others: the same call goes on from here. */
  readonly outcome: 'done' | 'stopped' | 'limit';
  /** What was sent, or would be, by kind. */
  readonly groups: readonly LetterGroup[];
}

const maxFailures = 20;

/** Counts what becomes of letters. */
export class RedriveTally {
  readonly groups: GroupTally = new GroupTally();
  readonly #job: string;
  readonly #before: number;
  readonly #total: number;
  readonly #skipped: Record<Skipped, number> = { 'edited away': 0, 'in quarantine': 0, 'never a message': 0 };
  readonly #failures: RedriveFailure[] = [];
  looked = 0;
  matched = 0;
  #sent = 0;
  #edited = 0;
  #failed = 0;

  constructor(job: string, before: number, total: number) {
    this.#job = job;
    this.#before = before;
    this.#total = total;
  }

  /** Messages between here and the end that there was at the start. */
  get left(): number {
    return this.#total - this.looked;
  }

  get sent(): number {
    return this.#sent;
  }

  get progress(): RedriveProgress {
    return {
      job: this.#job,
      before: this.#before,
      total: this.#total,
      looked: this.looked,
      matched: this.matched,
      sent: this.#sent,
      edited: this.#edited,
      skipped: { ...this.#skipped },
      failed: this.#failed,
      failures: [...this.#failures],
    };
  }

  stored(letter: DeadLetter, isEdited: boolean): void {
    this.#sent++;
    if (isEdited) this.#edited++;
    this.groups.count(letter);
  }

  skip(why: Skipped): void {
    this.#skipped[why]++;
  }

  fail(id: string, reason: string): void {
    this.#failed++;
    if (this.#failures.length < maxFailures) this.#failures.push({ id, reason });
  }
}
