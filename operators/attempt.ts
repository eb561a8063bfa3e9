import { type Observable, Subscription, isObservable } from 'rxjs';
import { type Ok, settlement } from '../src/core/delivery.ts';
import type { Message } from '../src/core/message.ts';
import { historyOf } from '../src/core/message-history.ts';

/** What a handler may want to know beside the value. */
export interface AttemptContext {
  readonly message: Message;
  /**
   * Aborts when the attempt is for nothing: the delivery was taken back, the attempt has timed out, or the chain
   * was unsubscribed from.
   */
  readonly signal: AbortSignal;
  /** Which attempt at the message this is, from 1; those before it came round through a topic count. */
  readonly attempt: number;
}

/** A result that is not there yet. */
export type Pending<B> = PromiseLike<B> | Observable<B>;

/** Told once how an attempt ended; what was taken back ends without a word. */
export interface AttemptEnd<A, B> {
  succeeded(attempt: Attempt<A, B>, outputs: readonly B[]): void;
  failed(attempt: Attempt<A, B>, error: unknown): void;
  takenBack(attempt: Attempt<A, B>): void;
}

/** Whether a result has to be waited for. */
export function isPending<B>(result: B | Pending<B>): result is Pending<B> {
  if (typeof result !== 'object' || result === null) return false;
  return isObservable(result) || ('then' in result && typeof result.then === 'function');
}

/** One attempt at a delivery: what its handler is told, and the way from a Promise or Observable to its end. */
export class Attempt<A, B> implements AttemptContext {
  readonly delivery: Ok<A>;
  /** Attempts at this delivery, this one included. */
  readonly count: number;
  #controller: AbortController | undefined;
  #abortedBy: unknown;
  #isOver = false;
  #pending: Subscription | undefined;

  constructor(delivery: Ok<A>, count: number) {
    this.delivery = delivery;
    this.count = count;
  }

  get message(): Message {
    return this.delivery.message;
  }

  get attempt(): number {
    const { message } = this.delivery;
    return message.headers.size === 0 ? this.count : historyOf(message).attempts + this.count;
  }

  /** Made only for those who ask for it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    const { [settlement]: duty } = this.delivery;
    if (this.#abortedBy !== undefined || duty.revoked) this.#controller.abort(this.#abortedBy);
    return this.#controller.signal;
  }

  /** Waits for the result and tells its end. Outputs are held back until it is complete. */
  wait(result: Pending<B>, told: AttemptEnd<A, B>): void {
    const pending = new Subscription();
    this.#pending = pending;
    const outputs: B[] = [];
    const take = (output: B): void => void outputs.push(output);
    const fail = (error: unknown): void => {
      if (this.#end()) told.failed(this, error);
    };
    const complete = (): void => {
      if (this.#end()) told.succeeded(this, outputs);
    };
    if (isObservable(result)) pending.add(result.subscribe({ next: take, error: fail, complete }));
    else
      result.then(output => {
        take(output);
        complete();
      }, fail);
    if (!this.#isOver) pending.add(this.#onTakenBack(() => told.takenBack(this)));
  }

  /** Ends an attempt whose result is not there yet: it is for nothing. False: it has ended before. */
  abort(reason: unknown): boolean {
    if (!this.#end()) return false;
    this.#abortedBy = reason;
    this.#controller?.abort(reason);
    return true;
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#pending?.unsubscribe();
    return true;
  }

  #onTakenBack(tell: () => void): () => void {
    const { signal } = this.delivery[settlement];
    const takenBack = (): void => {
      if (this.abort(signal.reason)) tell();
    };
    signal.addEventListener('abort', takenBack);
    if (signal.aborted) takenBack();
    return () => signal.removeEventListener('abort', takenBack);
  }
}
