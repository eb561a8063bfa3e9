import type { SchedulerLike } from 'rxjs';
import { BusError } from '../../../../src/core/publisher.ts';

/** After so long without an answer whoever asked is told that there is none, ms. */
const answeredWithinMs = 3_000;

/** The way from one process to the cluster and back. What it holds up arrives, and is answered, later all the same. */
export class ModelLine {
  readonly #time: SchedulerLike;
  readonly #latencyMs: () => number;
  #stalledUntil = 0;
  #cut = false;

  /** @param latencyMs of each way */
  constructor(time: SchedulerLike, latencyMs: () => number) {
    this.#time = time;
    this.#latencyMs = latencyMs;
  }

  stall(forMs: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#time.now() + forMs);
  }

  /** Its process is killed: nothing arrives any more, there or here. */
  cut(): void {
    this.#cut = true;
  }

  get isCut(): boolean {
    return this.#cut;
  }

  get isUp(): boolean {
    return !this.#cut && this.#time.now() >= this.#stalledUntil;
  }

  /** Has something done by the cluster, and tells what it came to, unless that takes too long. */
  ask<A>(act: () => A): Promise<A> {
    return new Promise((resolve, reject) => {
      this.later(() => {
        let answer: () => void;
        try {
          const outcome = act();
          answer = () => resolve(outcome);
        } catch (error) {
          answer = () => reject(error instanceof Error ? error : new Error(String(error)));
        }
        this.later(answer);
      });
      this.#time.schedule(() => {
        if (!this.#cut) reject(new BusError('unavailable', `no answer within ${answeredWithinMs} ms`));
      }, answeredWithinMs);
    });
  }

  /** Has something happen at the other end. */
  later(happen: () => void): void {
    this.#time.schedule(() => {
      if (this.#cut) return;
      if (this.isUp) happen();
      else this.#time.schedule(() => this.later(happen), this.#stalledUntil - this.#time.now());
    }, this.#latencyMs());
  }
}
