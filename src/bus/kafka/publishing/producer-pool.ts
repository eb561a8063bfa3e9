import type { DriverProducer } from '../driver.ts';

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

/** The one producer that rounds share; one that is retired is closed when its last round is over. */
export class ProducerPool {
  readonly #openProducer: () => Promise<DriverProducer>;
  #current: Shared | undefined;

  constructor(openProducer: () => Promise<DriverProducer>) {
    this.#openProducer = openProducer;
  }

  take(): ProducerLease {
    const shared = (this.#current ??= { open: undefined, users: 0 });
    shared.users++;
    return {
      producer: () => this.#open(shared),
      retire: () => {
        if (this.#current === shared) this.#current = undefined;
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
    shared.open ??= this.#openProducer().catch((error: unknown) => {
      shared.open = undefined;
      throw error;
    });
    return shared.open;
  }
}

/** One that cannot be closed is of no more use either way. */
async function close({ open }: Shared): Promise<void> {
  await open?.then(producer => producer.close()).catch(() => undefined);
}
