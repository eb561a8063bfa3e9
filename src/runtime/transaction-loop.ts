import { BehaviorSubject, NEVER, type Observable, type SchedulerLike, Subscription } from 'rxjs';
import type { TransactionSession } from '../bus/transactions.ts';
import type { OutgoingMessage } from '../core/message.ts';
import { BusError, type Published, type Publisher } from '../core/publisher.ts';
import type { PipelineState } from './pipeline-state.ts';
import type { Progress, StateCommits } from './state-commits.ts';

export interface TransactionLoopOptions {
  /** How long what is settled may wait for its commit, ms; default 100. */
  readonly commitIntervalMs?: number | undefined;
}

/** What a loop works on. */
export interface TransactionLoopHost {
  /** Opened when it is first needed. */
  readonly session: () => TransactionSession;
  readonly state: PipelineState;
  readonly progress: () => Progress;
  readonly scheduler: SchedulerLike;
  /** The open transaction is lost, and with it what memory holds: everything begins again at the last commit. */
  readonly broke: (error: unknown) => void;
}

/**
 * Makes of all that a pipeline does one transaction after the other: outputs, dead letters, retries, state and
 * offsets. At its end no new message is taken until those in flight are settled; then state is written, and all of it
 * committed. While the brokers do that the next messages come already: what they cause is sent when it is done.
 */
export class TransactionLoop implements StateCommits {
  readonly stored$: Observable<unknown> = NEVER;
  readonly problem: string | undefined = undefined;
  /** Sends into the open transaction, for as long as this run lasts: what it still sends then is nobody's. */
  readonly publisher: Publisher;
  readonly #host: TransactionLoopHost;
  readonly #intervalMs: number;
  readonly #timers = new Subscription();
  readonly #paused$ = new BehaviorSubject(false);
  #deadline = new Subscription();
  #phase: 'open' | 'closing' | 'committing' | 'stopped' = 'open';
  #settledSince = 0;
  #hasSent = false;
  #isLooking = false;
  #waiting: (() => void)[] = [];
  count = 0;

  constructor(host: TransactionLoopHost, { commitIntervalMs = 100 }: TransactionLoopOptions) {
    this.#host = host;
    this.#intervalMs = commitIntervalMs;
    this.publisher = {
      partitionsOf: topic => this.#host.session().partitionsOf(topic),
      send: (message, done) => this.#send(message, done),
    };
  }

  get pause$(): Observable<boolean> {
    return this.#paused$;
  }

  start(): void {
    const { session, scheduler } = this.#host;
    const { broken$, hurry$ } = session();
    this.#timers.add(broken$.subscribe(error => this.#broke(error)));
    this.#timers.add(hurry$.subscribe(() => this.#close()));
    const tick = (): void => {
      this.take();
      // What is dropped, or begins to wait, behind something that waits is told by nobody.
      this.#lookSoon();
      this.#timers.add(scheduler.schedule(tick, this.#intervalMs));
    };
    this.#timers.add(scheduler.schedule(tick, this.#intervalMs));
  }

  get #isStopped(): boolean {
    return this.#phase === 'stopped';
  }

  stop(): void {
    this.#phase = 'stopped';
    this.#timers.unsubscribe();
    this.#deadline.unsubscribe();
    this.#paused$.complete();
    for (const done of this.#waiting.splice(0)) done();
  }

  limitOf(): undefined {
    return undefined;
  }

  revoke(): void {}

  settled(): void {
    this.#settledSince++;
    this.#lookSoon();
  }

  take(): void {
    if (this.#settledSince > 0 || this.#hasSent) this.#close();
  }

  takeLast(done: () => void): void {
    if (this.#phase === 'stopped' || (this.#phase === 'open' && this.#settledSince === 0 && !this.#hasSent)) {
      done();
      return;
    }
    this.#waiting.push(done);
    this.take();
  }

  #send(message: OutgoingMessage, done: Published): void {
    if (this.#phase === 'stopped') {
      const what = `${message.topic}: the pipeline has begun anew since the message was taken`;
      done(new BusError('consumer-closed', `${what}: send nothing, it comes again`), undefined);
      return;
    }
    this.#hasSent = true;
    this.#host.session().send(message, done);
  }

  /** Takes no more messages for this transaction. */
  #close(): void {
    if (this.#phase !== 'open') return;
    const { scheduler, session } = this.#host;
    this.#phase = 'closing';
    const limitMs = session().timeoutMs / 2;
    this.#deadline = scheduler.schedule(() => this.#late(limitMs), limitMs);
    this.#paused$.next(true);
    this.#lookSoon();
  }

  /** Not at once: whoever has just acked may still be at it. */
  #lookSoon(): void {
    if (this.#isLooking || this.#phase !== 'closing') return;
    this.#isLooking = true;
    this.#timers.add(
      this.#host.scheduler.schedule(() => {
        this.#isLooking = false;
        if (this.#phase === 'closing' && this.#host.progress().quiet) this.#commit();
      }),
    );
  }

  #commit(): void {
    this.#phase = 'committing';
    this.#writeState();
    // Some of it was refused at once, and all is being aborted.
    if (this.#isStopped) return;
    const committing = this.#host.session().commit();
    this.#deadline.unsubscribe();
    this.#settledSince = 0;
    this.#hasSent = false;
    committing.then(
      () => this.#committed(),
      (error: unknown) => this.#broke(error),
    );
    this.#paused$.next(false);
  }

  /** What is refused breaks the transaction, as the session knows. */
  #writeState(): void {
    const { state, progress, session } = this.#host;
    if (!state.used) return;
    const { offsets: ofMessages, marks } = progress();
    const ofSources = session()
      .settled()
      .map(({ topic, partition, offset }): [string, number] => [`${topic}/${partition}`, offset]);
    // What is stored and what is committed are the same: who goes on from one of them goes on from both.
    const offsets = { ...ofMessages, ...Object.fromEntries(ofSources) };
    for (const snapshot of state.capture({ offsets, ...(marks && { marks }) })) {
      for (const message of [...snapshot.states, snapshot.commit, ...snapshot.cleaning]) {
        this.#send(message, error => {
          if (error) this.#broke(error);
        });
      }
      // Nothing of it is seen before all of it is.
      snapshot.stored();
    }
  }

  #committed(): void {
    if (this.#phase === 'stopped') return;
    this.count++;
    this.#phase = 'open';
    const waiting = this.#waiting.splice(0);
    for (const done of waiting) this.takeLast(done);
  }

  #late(limitMs: number): void {
    const reason = `exactly-once: what is in flight was not settled, and stored, within ${limitMs} ms, half the transaction's time-out: raise transactionTimeoutMs, have handlers and retries take less, or give batches a timeMs`;
    this.#broke(new BusError('publish-timeout', reason));
  }

  #broke(error: unknown): void {
    if (this.#phase === 'stopped') return;
    this.stop();
    this.#host.broke(error);
  }
}
