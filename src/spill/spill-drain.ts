import type { SchedulerLike, Subscription } from 'rxjs';
import { BusError } from '../core/publisher.ts';
import type { OrderedSender } from './ordered-sender.ts';
import type { SpillFolder } from './spill-folder.ts';

/** The position is stored after so many messages, and at the latest after so many ms. */
const commitMessages = 1000;
const commitAfterMs = 100;
/** More is read once no more than so many messages are in memory. */
const lowMark = 256;
const readsPerTurn = 4;
/** A folder that cannot be read is tried again after so many ms. */
const readAgainMs = 1000;

export interface SpillDrainOptions {
  readonly folder: SpillFolder;
  readonly sender: OrderedSender;
  readonly scheduler: SchedulerLike;
  /** Whether something is about to be written to the folder. */
  readonly isWriting: () => boolean;
  readonly onFailed: (cause: BusError) => void;
  /** Told when the folder has nothing left, after so many messages. */
  readonly onDrained: (messages: number) => void;
}

/** Gives the sender what lies in the folder, in order, and keeps in the folder how far it has come. */
export class SpillDrain {
  readonly #options: SpillDrainOptions;
  #isActive = false;
  /** From here on nothing has been read yet. */
  #from = 0;
  /** Where it began. */
  #begun = 0;
  #reading: Subscription | undefined;
  #committing: Subscription | undefined;

  constructor(options: SpillDrainOptions) {
    this.#options = options;
  }

  /** Whether messages lie in the folder: whatever comes must go behind them. */
  get isActive(): boolean {
    return this.#isActive;
  }

  /** How many are not done with. */
  get messages(): number {
    return this.#isActive ? this.#options.folder.nextOffset - this.#position : 0;
  }

  /** @param from the first offset that the sender does not have yet */
  begin(from: number): void {
    this.#isActive = true;
    this.#from = from;
    this.#begun = this.#position;
    this.wake();
  }

  /** Something was written, or the sender has room. */
  wake(): void {
    if (this.#isActive && this.#reading === undefined && this.#mayRead)
      this.#reading = this.#options.scheduler.schedule(() => this.#read());
  }

  /** The broker has answered; what it did not take stays the sender's affair. */
  answered(): void {
    if (!this.#isActive) return;
    if (this.#position - this.#options.folder.position >= commitMessages) this.#commit();
    else this.#committing ??= this.#options.scheduler.schedule(() => this.#commit(), commitAfterMs);
    this.wake();
    this.finishIfDone();
  }

  /** Lets what comes go to the broker directly again, once nothing is left. */
  finishIfDone(): void {
    const { folder, sender, isWriting, onDrained } = this.#options;
    if (!this.#isActive || sender.size > 0 || this.#from < folder.nextOffset || isWriting()) return;
    this.#commit();
    this.#isActive = false;
    onDrained(this.#from - this.#begun);
  }

  stop(): void {
    if (this.#isActive) this.#commit();
    this.#isActive = false;
    this.#reading?.unsubscribe();
  }

  /** Everything before it is done with. */
  get #position(): number {
    return this.#options.sender.oldest?.offset ?? this.#from;
  }

  get #mayRead(): boolean {
    const { folder, sender } = this.#options;
    return this.#from < folder.nextOffset && sender.size <= lowMark;
  }

  /** Several times in a turn where the broker answers at once, then others have theirs. */
  #read(): void {
    const { scheduler, onFailed } = this.#options;
    try {
      for (let reads = 0; reads < readsPerTurn && this.#mayRead; reads++) this.#readOnce();
      this.#reading = undefined;
    } catch (cause) {
      if (!(cause instanceof BusError)) throw cause;
      this.#reading = scheduler.schedule(() => this.#read(), readAgainMs);
      onFailed(cause);
    }
    this.wake();
    this.finishIfDone();
  }

  #readOnce(): void {
    const { folder, sender } = this.#options;
    const { entries, next } = folder.read(this.#from);
    for (const entry of entries) {
      this.#from = entry.offset + 1;
      sender.add(entry);
    }
    // Never back: all may have been sent, and spilling begun anew, meanwhile.
    this.#from = Math.max(this.#from, next);
  }

  #commit(): void {
    this.#committing?.unsubscribe();
    this.#committing = undefined;
    try {
      this.#options.folder.commit(this.#position);
    } catch (cause) {
      if (!(cause instanceof BusError)) throw cause;
      this.#options.onFailed(cause);
    }
  }
}
