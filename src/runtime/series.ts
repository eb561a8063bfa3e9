import type { Counter, Meter, Tags } from '../core/meter.ts';

/** One number with its name and tags. */
export interface Series {
  readonly name: string;
  readonly tags: Tags;
  readonly kind: 'counter' | 'gauge';
  readonly value: number;
}

/** Told every number now and then: for systems that want to be pushed to. */
export type MetricsCallback = (metric: string, value: number, tags: Tags) => void;

class PlainCounter implements Counter {
  readonly name: string;
  readonly tags: Tags;
  value = 0;

  constructor(name: string, tags: Tags) {
    this.name = name;
    this.tags = tags;
  }

  add(amount = 1): void {
    this.value += amount;
  }
}

interface Gauge {
  readonly name: string;
  readonly tags: Tags;
  readonly read: () => number;
}

/** Counts in plain numbers; whoever publishes them asks for all of them at once. */
export class SeriesMeter implements Meter {
  readonly #counters = new Map<string, PlainCounter>();
  readonly #gauges = new Set<Gauge>();

  counter(name: string, tags: Tags = {}): Counter {
    const id = name + JSON.stringify(tags);
    const existing = this.#counters.get(id);
    if (existing) return existing;
    const created = new PlainCounter(name, tags);
    this.#counters.set(id, created);
    return created;
  }

  gauge(name: string, read: () => number, tags: Tags = {}): () => void {
    const gauge: Gauge = { name, tags, read };
    this.#gauges.add(gauge);
    return () => {
      this.#gauges.delete(gauge);
    };
  }

  /** Every number as it is now. */
  read(): Series[] {
    const counters = [...this.#counters.values()].map(({ name, tags, value }): Series => ({
      name,
      tags,
      kind: 'counter',
      value,
    }));
    const gauges = [...this.#gauges].map(({ name, tags, read }): Series => ({
      name,
      tags,
      kind: 'gauge',
      value: read(),
    }));
    return [...counters, ...gauges];
  }

  /** The sum over all series of a name whose tags include these. */
  sum(name: string, tags: Tags = {}): number {
    return this.read()
      .filter(series => series.name === name && Object.entries(tags).every(([k, v]) => series.tags[k] === v))
      .reduce((total, { value }) => total + value, 0);
  }

  /** A meter that adds these tags to everything. */
  tagged(more: Tags): Meter {
    return {
      counter: (name, tags) => this.counter(name, { ...more, ...tags }),
      gauge: (name, read, tags) => this.gauge(name, read, { ...more, ...tags }),
    };
  }
}
