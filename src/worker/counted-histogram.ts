import { Histogram, type HistogramConfiguration } from 'prom-client';

/** What a histogram is asked for: prom-client does not export the type. */
type HistogramValues = Awaited<ReturnType<Histogram['get']>>;

/** A histogram whose values were counted elsewhere: one of prom-client's own is told each value by itself. */
export class CountedHistogram extends Histogram {
  readonly #empty: Histogram;
  readonly #values: HistogramValues['values'];

  constructor(
    { name, help, registers = [] }: HistogramConfiguration<string>,
    values: HistogramValues['values'],
  ) {
    super({ name, help, registers });
    this.#empty = new Histogram({ name, help, registers: [] });
    this.#values = values;
  }

  /** What a registry asks for, and what `get` is made of. */
  async getForPromString(): Promise<HistogramValues> {
    return { ...(await this.#empty.get()), values: this.#values };
  }
}
