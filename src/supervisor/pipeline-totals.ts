import { labelOf, sampleOf } from './prometheus-text.ts';

/** A page of metrics of a worker's process, and which process. */
export interface WorkerPage {
  readonly worker: string;
  readonly pid: number | undefined;
  readonly text: string;
}

/** A pipeline over all workers. */
export interface PipelineTotal {
  readonly pipeline: string;
  /** Workers that run it. */
  readonly workers: number;
  readonly inPerSecond: number;
  readonly outPerSecond: number;
  readonly inFlight: number;
  readonly lag: number;
  /** Since their processes began. */
  readonly retried: number;
  readonly deadLettered: number;
  /** Messages that were handled again, because a rebalance took their partitions away too early. */
  readonly repeated: number;
  /** Circuit breakers that are not closed. */
  readonly openCircuits: number;
  /** The least of the workers', ms; left out where none has one. */
  readonly watermark?: number;
}

interface Numbers {
  consumed: number;
  published: number;
  inFlight: number;
  lag: number;
  retried: number;
  deadLettered: number;
  repeated: number;
  openCircuits: number;
  watermark: number | undefined;
  running: number;
}

/** What a worker's process has counted in a pipeline, and when. */
interface Seen {
  readonly pid: number | undefined;
  readonly numbers: Numbers;
  /** ms */
  readonly at: number;
}

/** Adds up what workers say of their pipelines; rates are since each of them was seen last. */
export class PipelineTotals {
  readonly #seen = new Map<string, Seen>();

  /** @param now ms */
  next(pages: readonly WorkerPage[], now: number): readonly PipelineTotal[] {
    const totals = new Map<string, PipelineTotal>();
    for (const { worker, pid, text } of pages) {
      for (const [pipeline, numbers] of numbersOf(text)) {
        const key = `${worker}/${pipeline}`;
        const seen = { pid, numbers, at: now };
        const rate = rateSince(this.#seen.get(key), seen);
        this.#seen.set(key, seen);
        totals.set(pipeline, sum(totals.get(pipeline) ?? none(pipeline), numbers, rate));
      }
    }
    return [...totals.values()];
  }
}

type Rate = (name: 'consumed' | 'published') => number;

/** Of a worker that has not been seen before there is none: nobody knows since when it has counted. */
function rateSince(before: Seen | undefined, { pid, numbers, at }: Seen): Rate {
  if (before === undefined || at <= before.at) return () => 0;
  // A process that took another's place counts from 0.
  const first = before.pid === pid ? before.numbers : undefined;
  return name => ((numbers[name] - (first?.[name] ?? 0)) / (at - before.at)) * 1000;
}

function none(pipeline: string): PipelineTotal {
  const nothing = { inFlight: 0, lag: 0, retried: 0, deadLettered: 0, repeated: 0, openCircuits: 0 };
  return { pipeline, workers: 0, inPerSecond: 0, outPerSecond: 0, ...nothing };
}

function sum(total: PipelineTotal, numbers: Numbers, rate: Rate): PipelineTotal {
  const watermarks = [total.watermark, numbers.watermark].filter(at => at !== undefined);
  return {
    pipeline: total.pipeline,
    workers: total.workers + numbers.running,
    inPerSecond: total.inPerSecond + rate('consumed'),
    outPerSecond: total.outPerSecond + rate('published'),
    inFlight: total.inFlight + numbers.inFlight,
    lag: total.lag + numbers.lag,
    retried: total.retried + numbers.retried,
    deadLettered: total.deadLettered + numbers.deadLettered,
    repeated: total.repeated + numbers.repeated,
    openCircuits: total.openCircuits + numbers.openCircuits,
    ...(watermarks.length > 0 && { watermark: Math.min(...watermarks) }),
  };
}

function numbersOf(text: string): Map<string, Numbers> {
  const byPipeline = new Map<string, Numbers>();
  for (const line of text.split('\n')) {
    const sample = line.startsWith('stream_') ? sampleOf(line) : undefined;
    const pipeline = sample && labelOf(sample, 'pipeline');
    if (sample === undefined || pipeline === undefined) continue;
    const known = byPipeline.get(pipeline);
    const numbers = known ?? {
      consumed: 0,
      published: 0,
      inFlight: 0,
      lag: 0,
      retried: 0,
      deadLettered: 0,
      repeated: 0,
      openCircuits: 0,
      watermark: undefined,
      running: 0,
    };
    if (known === undefined) byPipeline.set(pipeline, numbers);
    add(numbers, sample.name, Number(sample.value));
  }
  return byPipeline;
}

function add(numbers: Numbers, name: string, value: number): void {
  switch (name) {
    case 'stream_consume_total':
      numbers.consumed += value;
      break;
    case 'stream_publish_total':
      numbers.published += value;
      break;
    case 'stream_in_flight':
      numbers.inFlight += value;
      break;
    case 'stream_lag_messages':
      numbers.lag += value;
      break;
    case 'stream_retries_total':
      numbers.retried += value;
      break;
    case 'stream_dlq_total':
      numbers.deadLettered += value;
      break;
    case 'stream_rebalance_duplicates_total':
      numbers.repeated += value;
      break;
    case 'stream_circuit_state':
      numbers.openCircuits += value > 0 ? 1 : 0;
      break;
    case 'stream_watermark_seconds':
      numbers.watermark = value * 1000;
      break;
    case 'stream_running':
      numbers.running = value;
      break;
  }
}
