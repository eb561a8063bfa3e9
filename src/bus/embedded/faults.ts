import { BusError, type BusErrorCode } from '../../core/publisher.ts';

/** What becomes of a message that is being sent while faults are injected. */
export type Fault =
  | { readonly kind: 'fail'; readonly error: BusError }
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'duplicate' };

/**
 * Faults on demand for tests: give one to the bus and tell it what is to go wrong next.
 *
 * @example
 * const faults = new FaultInjector();
 * const bus = createEventBus({ kind: 'stub', faults });
 * faults.failNextPublish('publish-timeout'); // the next message is refused
 */
export class FaultInjector {
  readonly #queue: Fault[] = [];
  #disconnected = false;
  #changed: () => void = () => undefined;

  /** The next `times` messages are refused with this code. */
  failNextPublish(code: BusErrorCode = 'publish-timeout', times = 1): void {
    const error = new BusError(code, `injected fault: ${code}`);
    for (let i = 0; i < times; i++) this.#queue.push({ kind: 'fail', error });
  }

  /** The next message is stored only after this many ms, and what is sent to its partition meanwhile after it. */
  delayNextPublish(delayMs: number): void {
    this.#queue.push({ kind: 'delay', delayMs });
  }

  /** The next message is stored twice. */
  duplicateNextPublish(): void {
    this.#queue.push({ kind: 'duplicate' });
  }

  /** Nothing is delivered, and what is sent waits, until {@link reconnect}. */
  disconnect(): void {
    this.#disconnected = true;
    this.#changed();
  }

  reconnect(): void {
    this.#disconnected = false;
    this.#changed();
  }

  get disconnected(): boolean {
    return this.#disconnected;
  }

  /** For the bus: the fault of the message that is being sent, if any. */
  next(): Fault | undefined {
    return this.#queue.shift();
  }

  /** For the bus: called whenever the connection comes or goes. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }
}
