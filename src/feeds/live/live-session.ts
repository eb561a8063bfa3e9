import { WebSocket, type RawData } from 'ws';
import type { Backoff } from '../../core/backoff.ts';
import { FeedError } from '../feed.ts';
import type { Accepted, Control, Normaliser, Subscription, Venue } from '../venues/venue.ts';
import { ItemQueue } from './item-queue.ts';
import { LiveClock } from './live-clock.ts';
import type { FetchText } from './rest.ts';
import type { Timers } from './timers.ts';

/** What happens to a live feed, for logs and metrics. */
export type LiveEvent =
  | { readonly kind: 'connected'; readonly url: string }
  | {
      readonly kind: 'reconnecting';
      readonly reason: string;
      readonly attempt: number;
      readonly inMs: number;
    }
  | { readonly kind: 'resync'; readonly symbol: string; readonly reason: string }
  | { readonly kind: 'answer' | 'error'; readonly text: string }
  | { readonly kind: 'paused' | 'resumed'; readonly queued: number };

/** Everything that a session needs, with no defaults left open. */
export interface LiveSettings {
  readonly feed: string;
  readonly url: string;
  readonly timers: Timers;
  readonly fetchText: FetchText;
  readonly backoff: Backoff;
  readonly maxAttempts: number;
  readonly stallMs: number;
  readonly maxFrameBytes: number;
  readonly maxQueue: number;
  readonly slackMs: number;
  readonly timeEveryMs: number;
  readonly resumeAfter: number;
  readonly onEvent: (event: LiveEvent) => void;
}

const textOf = (data: RawData): string =>
  (Array.isArray(data)
    ? Buffer.concat(data)
    : data instanceof ArrayBuffer
      ? Buffer.from(data)
      : data
  ).toString('utf8');

/** A subscription that is kept alive: connects, listens, connects again, until it is stopped or gives up. */
export class LiveSession {
  readonly queue: ItemQueue;
  readonly #venue: Venue;
  readonly #subscription: Subscription;
  readonly #normaliser: Normaliser;
  readonly #settings: LiveSettings;
  readonly #clock: LiveClock;
  readonly #abort = new AbortController();
  readonly #fetching = new Set<string>();
  /** Timers that run: `stall`, `ping`, `time`, `connect`, and the address of each snapshot to be fetched again. */
  readonly #cancels = new Map<string, () => void>();
  #socket: WebSocket | undefined;
  #attempt = 0;
  #heardAt = 0;

  constructor(venue: Venue, subscription: Subscription, normaliser: Normaliser, settings: LiveSettings) {
    this.#venue = venue;
    this.#subscription = subscription;
    this.#normaliser = normaliser;
    this.#settings = settings;
    this.#clock = new LiveClock(settings.slackMs, settings.resumeAfter);
    this.queue = new ItemQueue(settings.maxQueue, () => this.#resume());
  }

  start(): void {
    this.#connect();
    this.#every('time', this.#settings.timeEveryMs, () => {
      const item = this.#clock.tick();
      if (item !== undefined) this.queue.push([item]);
    });
  }

  stop(failure?: Error): void {
    this.#abort.abort();
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
    this.#drop();
    this.queue.end(failure);
  }

  #connect(): void {
    const { url, maxFrameBytes, onEvent, stallMs } = this.#settings;
    const socket = new WebSocket(url, { maxPayload: maxFrameBytes, handshakeTimeout: stallMs });
    this.#socket = socket;
    let reason = '';
    socket.on('open', () => {
      onEvent({ kind: 'connected', url });
      this.#normaliser.reset();
      for (const frame of this.#venue.subscribeFrames(this.#subscription)) socket.send(frame);
      this.#watch();
      const { ping } = this.#venue;
      if (ping !== undefined) this.#every('ping', ping.everyMs, () => this.#send(ping.frame));
    });
    socket.on('message', data => {
      if (this.#socket === socket) this.#accept(textOf(data));
    });
    socket.on('error', error => (reason = error.message));
    socket.on('close', code => {
      if (this.#socket === socket) this.#reconnect(reason === '' ? `closed with code ${code}` : reason);
    });
  }

  #reconnect(reason: string): void {
    this.#drop();
    this.#cancel('stall');
    this.#cancel('ping');
    if (this.#abort.signal.aborted) return;
    const { maxAttempts, feed, url, backoff, timers, onEvent } = this.#settings;
    this.#attempt += 1;
    if (this.#attempt > maxAttempts) {
      const remedy = 'check the network, the address and the symbols';
      this.stop(
        new FeedError(feed, `${url} gave no market data in ${maxAttempts} attempts (${reason}); ${remedy}`),
      );
      return;
    }
    const inMs = backoff.delayMs(this.#attempt);
    this.#cancels.set(
      'connect',
      timers.after(inMs, () => this.#connect()),
    );
    onEvent({ kind: 'reconnecting', reason, attempt: this.#attempt, inMs });
  }

  /** Reconnects once nothing was heard for too long; a socket that we paused is not expected to speak. */
  #watch(): void {
    const { timers, stallMs } = this.#settings;
    this.#heardAt = timers.now();
    const check = (): void => {
      const silent = this.#socket?.isPaused === true ? 0 : timers.now() - this.#heardAt;
      if (silent >= stallMs) this.#reconnect(`no frame for ${silent} ms`);
      else this.#cancels.set('stall', timers.after(stallMs - silent, check));
    };
    this.#cancel('stall');
    this.#cancels.set('stall', timers.after(stallMs, check));
  }

  #accept(text: string): void {
    this.#heardAt = this.#settings.timers.now();
    this.#take(this.#normaliser.accept(text, this.#heardAt, this.#settings.url));
  }

  #take({ items, controls }: Accepted): void {
    if (items.some(item => item.kind !== 'malformed')) this.#attempt = 0;
    this.#clock.saw(items, this.#heardAt);
    if (!this.queue.push(items) && this.#socket?.isPaused === false) {
      this.#socket.pause();
      this.#settings.onEvent({ kind: 'paused', queued: this.queue.length });
    }
    for (const control of controls) this.#control(control);
  }

  #resume(): void {
    if (this.#socket?.isPaused !== true) return;
    this.#heardAt = this.#settings.timers.now();
    this.#socket.resume();
    this.#settings.onEvent({ kind: 'resumed', queued: this.queue.length });
  }

  #control(control: Control): void {
    const { onEvent } = this.#settings;
    switch (control.kind) {
      case 'heartbeat':
        return;
      case 'answer':
      case 'error':
        onEvent(control);
        return;
      case 'resync':
        onEvent({ kind: 'resync', symbol: control.symbol, reason: control.reason });
        for (const frame of control.frames) this.#send(frame);
        return;
      case 'snapshot':
        void this.#fetch(control.url, 0);
    }
  }

  /** Fetches a whole book, again and again until it comes; one request an address at a time. */
  async #fetch(url: string, attempt: number): Promise<void> {
    const { signal } = this.#abort;
    const stopped = (): boolean => signal.aborted;
    if (stopped() || (attempt === 0 && this.#fetching.has(url))) return;
    this.#fetching.add(url);
    const { timers, backoff, onEvent, fetchText } = this.#settings;
    try {
      const text = await fetchText(url, signal);
      this.#fetching.delete(url);
      if (!stopped()) this.#take(this.#normaliser.acceptRest(url, text, timers.now(), url));
    } catch (error) {
      if (stopped()) return;
      onEvent({ kind: 'error', text: error instanceof Error ? error.message : String(error) });
      const again = (): void => void this.#fetch(url, attempt + 1);
      this.#cancels.set(url, timers.after(backoff.delayMs(attempt + 1), again));
    }
  }

  #send(frame: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(frame);
  }

  /** Lets go of the socket; nothing that it still says is heard. */
  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.terminate();
  }

  #every(name: 'ping' | 'time', everyMs: number, run: () => void): void {
    const again = (): void => {
      run();
      this.#cancels.set(name, this.#settings.timers.after(everyMs, again));
    };
    this.#cancel(name);
    this.#cancels.set(name, this.#settings.timers.after(everyMs, again));
  }

  #cancel(name: 'stall' | 'ping' | 'time'): void {
    this.#cancels.get(name)?.();
    this.#cancels.delete(name);
  }
}
