import type { DriverProducer } from '../driver.ts';
import type { ProducerId } from '../producer-id.ts';

/** A producer as one round of sends uses it. */
export interface ProducerLease {
  /** Opens it where that has not been done, or has failed. */
  producer(): Promise<DriverProducer>;
  /** No new round is to use it: what it has counted no longer agrees with what the brokers have. */
  retire(): void;
  giveBack(): void;
}

interface Shared {
  open: Promise<DriverProducer> | undefined;
  users: number;
}

/** Opens a producer; that of this name has been retired. */
export type OpenProducer = (after?: ProducerId) => Promise<DriverProducer>;

/**
 * The one producer that rounds share; one that is retired is closed when its last round is over. The next goes on under
 * its name: what of it is still on its way to a broker must not be stored behind what is sent then.
 */
export class ProducerPool {
  readonly #openProducer: OpenProducer;
  #current: Shared | undefined;
  /** The last that was retired. */
  #before: Promise<DriverProducer> | undefined;

  constructor(openProducer: OpenProducer) {
    this.#openProducer = openProducer;
  }

  take(): ProducerLease {
    const shared = (this.#current ??= { open: undefined, users: 0 });
    shared.users++;
    return {
      producer: () => this.#open(shared),
      retire: () => {
        if (this.#current !== shared) return;
        this.#current = undefined;
        this.#before = shared.open ?? this.#before;
      },
      giveBack: () => {
        shared.users--;
        if (shared.users === 0 && this.#current !== shared) void close(shared);
      },
    };
  }

  async close(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    if (current) await close(current);
  }

  #open(shared: Shared): Promise<DriverProducer> {
    shared.open ??= this.#openNext().catch((error: unknown) => {
      shared.open = undefined;
      throw error;
    });
    return shared.open;
  }

  async #openNext(): Promise<DriverProducer> {
    const before = await this.#before?.catch(() => undefined);
    return this.#openProducer(before?.name);
  }
}

/** One that cannot be closed is of no more use either way. */
async function close({ open }: Shared): Promise<void> {
  await open?.then(producer => producer.close()).catch(() => undefined);
}
