/**
 * The duty to settle one delivery: ack or nack, exactly once.
 * Whoever took the delivery back (its partition was revoked, or an earlier message of its key is delivered again)
 * has ended the duty: settling is then without effect.
 */
export interface Settlement {
  /** Done: the message need not come again. */
  ack(): void;
  /**
   * Done, and nothing was done with it by the operator that lets it go: as {@link ack}, but where no operator before
   * that one did anything either, the message may as well come again.
   *
   * @param by the operator's name
   */
  drop(by: string): void;
  /** Not done: the message comes again, after `delayMs` (default 0). */
  nack(delayMs?: number): void;
  /** Counts from 1; grows with every redelivery. */
  readonly attempt: number;
  /** True once the delivery has been taken back. */
  readonly revoked: boolean;
  /** Aborts when the delivery is taken back. */
  readonly signal: AbortSignal;
  /** The duties that this one stands for; none where it is a source's own. */
  readonly behind?: readonly Settlement[];
}

/** A delivery was settled a second time: a fault in the wiring, never in the data. */
export class SettledTwiceError extends Error {
  override readonly name = 'SettledTwiceError';

  constructor(what: string) {
    super(
      `${what} was settled twice: an operator settled a delivery and passed it on, or passed it on twice`,
    );
  }
}

/**
 * One duty shared by n outputs that are not counted beforehand: acked when it is closed and every share is
 * acked, nacked when all are settled and at least one was nacked.
 */
export class SharedSettlement {
  readonly #parent: Settlement;
  #open = 1;
  #nackDelayMs: number | undefined;

  constructor(parent: Settlement) {
    this.#parent = parent;
  }

  /** The duty of one more output. */
  share(): Settlement {
    this.#open++;
    return new Share(this, this.#parent);
  }

  /** No more shares will be taken. */
  close(): void {
    this.settleOne(undefined);
  }

  /** One share, or the closing itself, is settled; a delay means nacked. */
  settleOne(nackDelayMs: number | undefined): void {
    if (nackDelayMs !== undefined) this.#nackDelayMs = Math.max(this.#nackDelayMs ?? 0, nackDelayMs);
    if (--this.#open > 0) return;
    if (this.#nackDelayMs === undefined) this.#parent.ack();
    else this.#parent.nack(this.#nackDelayMs);
  }
}

/** The duty of one of several outputs. */
class Share implements Settlement {
  readonly #parent: Settlement;
  readonly #owner: SharedSettlement;
  #settled = false;

  constructor(owner: SharedSettlement, parent: Settlement) {
    this.#owner = owner;
    this.#parent = parent;
  }

  get attempt(): number {
    return this.#parent.attempt;
  }

  get revoked(): boolean {
    return this.#parent.revoked;
  }

  get signal(): AbortSignal {
    return this.#parent.signal;
  }

  get behind(): readonly Settlement[] {
    return [this.#parent];
  }

  ack(): void {
    this.#settle(undefined);
  }

  /** As far as anybody knows the other outputs are not let go. */
  drop(): void {
    this.#settle(undefined);
  }

  nack(delayMs = 0): void {
    this.#settle(delayMs);
  }

  #settle(nackDelayMs: number | undefined): void {
    if (this.#settled) throw new SettledTwiceError('an output');
    this.#settled = true;
    this.#owner.settleOne(nackDelayMs);
  }
}

/** The duties of many deliveries as one: what settles it settles each of them. */
export class JoinedSettlement implements Settlement {
  readonly #members: readonly Settlement[];

  constructor(members: readonly Settlement[]) {
    this.#members = members;
  }

  get attempt(): number {
    return this.#members.reduce((most, member) => Math.max(most, member.attempt), 1);
  }

  /** Once every member is: as long as one is not, somebody has to settle it. */
  get revoked(): boolean {
    return this.#members.every(member => member.revoked);
  }

  get signal(): AbortSignal {
    const controller = new AbortController();
    const abortWhenAllAre = (): void => {
      if (this.#members.every(member => member.signal.aborted)) controller.abort();
    };
    for (const { signal } of this.#members) signal.addEventListener('abort', abortWhenAllAre, { once: true });
    abortWhenAllAre();
    return controller.signal;
  }

  get behind(): readonly Settlement[] {
    return this.#members;
  }

  ack(): void {
    for (const member of this.#members) member.ack();
  }

  drop(by: string): void {
    for (const member of this.#members) member.drop(by);
  }

  nack(delayMs = 0): void {
    for (const member of this.#members) member.nack(delayMs);
  }
}

/** Of a delivery that nobody waits for. */
export const idleSettlement: Settlement = {
  attempt: 1,
  revoked: false,
  signal: new AbortController().signal,
  ack: () => undefined,
  drop: () => undefined,
  nack: () => undefined,
};
