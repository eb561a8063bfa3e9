import type { SchedulerLike, Subscription } from 'rxjs';
import type { Lane, Load } from './publish-lanes.ts';

/** What an outlet needs of its sender. */
export interface OutletHost {
  readonly scheduler: SchedulerLike;
  /** How long a message may wait for others while nothing is under way, ms. */
  readonly lingerMs: number;
  /** What of a lane goes out next. */
  readonly loadOf: (lane: Lane) => Load;
  /** Has them stored, and their senders told. */
  readonly store: (loads: readonly Load[]) => Promise<void>;
  /** These lanes are free again; some may have more to send. */
  readonly done: (lanes: readonly Lane[]) => void;
}

/** Requests under way at once. */
const maxRounds = 5;
/** So much goes out without waiting for what is under way, and at most about so much in one request. */
const requestBytes = 128 * 1024;
/** How long a little waits for what is under way, ms: that may be stuck. */
const patienceMs = 25;

/**
 * What goes to one broker. A request costs a broker the more the less is in it: what is published while one is under
 * way gathers and goes out together once that is answered, as Nagle had it for packets, or as soon as it is worth
 * a request of its own.
 */
export class BrokerOutlet {
  readonly #host: OutletHost;
  /** Lanes with something to send, none of it under way. */
  readonly #ready = new Set<Lane>();
  #bytes = 0;
  #rounds = 0;
  #timer: Subscription | undefined;
  #isSoon = false;

  constructor(host: OutletHost) {
    this.#host = host;
  }

  get isIdle(): boolean {
    return this.#rounds === 0 && this.#ready.size === 0;
  }

  /** A lane, none of which is under way, has so many bytes more to send. */
  offer(lane: Lane, bytes: number): void {
    this.#ready.add(lane);
    this.#bytes += bytes;
    if (this.#isWorthwhile) this.flush();
    else if (this.#rounds === 0) this.#flushSoon();
    else this.#flushIn(patienceMs);
  }

  /** Sends what there is, as far as a broker is to have under way at once. */
  flush(): void {
    this.#stopWaiting();
    do this.#sendNext();
    while (this.#isWorthwhile);
  }

  /** Nothing goes out any more. */
  close(): void {
    this.#stopWaiting();
    this.#ready.clear();
    this.#bytes = 0;
  }

  /** Without a linger time with all that is published in the same turn. */
  #flushSoon(): void {
    const { lingerMs } = this.#host;
    if (lingerMs > 0) this.#flushIn(lingerMs);
    else if (!this.#isSoon) {
      this.#isSoon = true;
      queueMicrotask(() => {
        if (this.#isSoon) this.flush();
      });
    }
  }

  #flushIn(ms: number): void {
    this.#timer ??= this.#host.scheduler.schedule(() => this.flush(), ms);
  }

  #stopWaiting(): void {
    this.#isSoon = false;
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }

  /** Whether there is enough for one more request. */
  get #isWorthwhile(): boolean {
    return this.#bytes >= requestBytes && this.#rounds < maxRounds;
  }

  #sendNext(): void {
    if (this.#rounds >= maxRounds) return;
    const loads = this.#nextLoads();
    if (loads.length > 0) void this.#round(loads);
  }

  #nextLoads(): readonly Load[] {
    const loads: Load[] = [];
    let bytes = 0;
    for (const lane of this.#ready) {
      if (bytes >= requestBytes) break;
      this.#ready.delete(lane);
      this.#bytes -= lane.bytes;
      const load = this.#host.loadOf(lane);
      for (const sending of load.sendings) bytes += sending.bytes;
      loads.push(load);
    }
    return loads;
  }

  async #round(loads: readonly Load[]): Promise<void> {
    this.#rounds++;
    await this.#host.store(loads);
    this.#rounds--;
    this.#host.done(loads.map(({ lane }) => lane));
    if (this.#rounds === 0 || this.#isWorthwhile) this.flush();
    else if (this.#ready.size > 0) this.#flushIn(patienceMs);
  }
}
