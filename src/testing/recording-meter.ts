import type { Counter, Meter, Tags } from '../core/meter.ts';

/** A meter whose numbers a test can read. */
export class RecordingMeter implements Meter {
  readonly #counters = new Map<string, RecordingCounter>();
  readonly #gauges = new Map<string, () => number>();

  counter(name: string, tags: Tags = {}): Counter {
    const series = seriesOf(name, tags);
    const counter = this.#counters.get(series) ?? new RecordingCounter();
    this.#counters.set(series, counter);
    return counter;
  }

  gauge(name: string, read: () => number, tags: Tags = {}): () => void {
    const series = seriesOf(name, tags);
    this.#gauges.set(series, read);
    return () => {
      if (this.#gauges.get(series) === read) this.#gauges.delete(series);
    };
  }

  /** The count of one series; 0 where nobody has counted. */
  count(name: string, tags: Tags = {}): number {
    return this.#counters.get(seriesOf(name, tags))?.value ?? 0;
  }

  /** What a gauge says now; undefined where there is none, or where it has been taken back. */
  read(name: string, tags: Tags = {}): number | undefined {
    return this.#gauges.get(seriesOf(name, tags))?.();
  }
}

class RecordingCounter implements Counter {
  value = 0;

  add(amount = 1): void {
    this.value += amount;
  }
}

function seriesOf(name: string, tags: Tags): string {
  const pairs = Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${name}{${pairs.map(([tag, value]) => `${tag}=${value}`).join(',')}}`;
}
