import type { Message } from '../core/message.ts';
import { SettledTwiceError, type Settlement } from '../core/settlement.ts';

/** The duty to settle one delivery, and the message that is delivered. */
export interface Due extends Settlement {
  readonly message: Message;
  /** Nobody else keeps it: once it is garbage, the duty is. */
  mark: object | undefined;
  /** What tells whether this delivery is out and unsettled, and does not keep the duty from being collected. */
  whetherOut(): () => boolean;
}

/** Who gives duties out, and is told what becomes of them. */
export interface DutyHost {
  /** Whether this attempt at the message is no longer its holder's to settle. */
  isTakenBack(sequence: number, attempt: number): boolean;
  /** Whether it is this attempt's to settle, and not settled yet. */
  isOut(sequence: number, attempt: number): boolean;
  /** Aborts when the delivery is taken back. */
  signalOf(sequence: number, attempt: number): AbortSignal;
  /** @param droppedBy the operator that let it go, where one did */
  ack(sequence: number, droppedBy?: string): void;
  nack(sequence: number, delayMs: number): void;
}

/** The duty to settle one delivery of one partition; whoever gave it out keeps no reference to it. */
export class SourceDuty implements Due {
  readonly attempt: number;
  readonly message: Message;
  mark: object | undefined = undefined;
  readonly #host: DutyHost;
  readonly #sequence: number;
  #settled = false;

  constructor(host: DutyHost, sequence: number, attempt: number, message: Message) {
    this.#host = host;
    this.#sequence = sequence;
    this.attempt = attempt;
    this.message = message;
  }

  get revoked(): boolean {
    return !this.#settled && this.#host.isTakenBack(this.#sequence, this.attempt);
  }

  get signal(): AbortSignal {
    return this.#host.signalOf(this.#sequence, this.attempt);
  }

  whetherOut(): () => boolean {
    const [host, sequence, { attempt }] = [this.#host, this.#sequence, this];
    return () => host.isOut(sequence, attempt);
  }

  ack(): void {
    if (this.#isMine()) this.#host.ack(this.#sequence);
  }

  drop(by: string): void {
    if (this.#isMine()) this.#host.ack(this.#sequence, by);
  }

  nack(delayMs = 0): void {
    if (this.#isMine()) this.#host.nack(this.#sequence, delayMs);
  }

  /** Whether its host has to hear of it, which is about to be settled. */
  #isMine(): boolean {
    if (this.#settled) throw new SettledTwiceError('a delivery');
    const taken = this.#host.isTakenBack(this.#sequence, this.attempt);
    this.#settled = true;
    return !taken;
  }
}
