import { asyncScheduler } from 'rxjs';
import type { Failure } from '../src/core/failure.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import { OptionError, finiteNumber, wholeNumber } from '../src/core/option.ts';
import { type Section, aroundSection } from '../src/core/section.ts';
import {
  Circuit,
  type CircuitChange,
  type CircuitLimits,
  type CircuitListener,
  type CircuitState,
  type ErrorShare,
} from './circuit.ts';
import { CircuitGate } from './circuit-gate.ts';
import type { StageOptions } from './map-values.ts';

export interface CircuitBreakerOptions extends StageOptions {
  /** Counted failures in a row that open the circuit; default 5. */
  readonly failures?: number;
  /** Which failures count; default: those that are retryable. The others neither count nor reset. */
  readonly counts?: (failure: Failure) => boolean;
  /** Opens on a share of failures, too; default: only on failures in a row. */
  readonly errorShare?: ErrorShare;
  /** `wait` (default): deliveries wait in order. `fail`: they fail with `circuit-open`, for a fallback to take. */
  readonly whenOpen?: 'wait' | 'fail';
  /** How long it stays open before it tries again, ms; default 30 000. Doubles each time that trying fails. */
  readonly coolDownMs?: number;
  /** No cool-down is longer, ms; default 300 000, or `coolDownMs` where that is more. */
  readonly maxCoolDownMs?: number;
  /** What full load is, deliveries in the section at once; default 1024. The same as the source's `maxInFlight`. */
  readonly demand?: number;
  /** Successes in a row that lead from one step of the load to the next; default 5. */
  readonly successes?: number;
  /** Told of each change, at once. What it throws ends the stream. */
  readonly onChange?: (change: CircuitChange) => void;
  /** Gauges `stream_circuit_state` (0 closed, 1 half-open, 2 open) and `stream_buffered`, counts `stream_circuit_opened_total`. */
  readonly meter?: Meter;
}

/**
 * Stops sending deliveries into a section that fails for all of them, and tries again with a few after a while.
 * When a service is down, five dead letters are enough to know: the rest waits until it is back.
 *
 * ```
 * in    --a--b--c--d--e--------------|     failures 2, coolDownMs 15; b and c fail
 * out   --a--F--F--------------(de)--|     open after c; then d goes in alone, and e after it
 * ```
 *
 * - closed: all goes in. Counted failures that come out in a row open it; an output, or an ack inside the
 *   section, starts the count anew. What failed before the section passes round it, uncounted.
 * - open: nothing goes in. Deliveries wait, in order, as many as the source has credits for: then the source
 *   pauses. What is in the section goes on to its end, and is not counted.
 * - half-open, after the cool-down: one delivery at a time; after one success 10 % of `demand`, then 50 %, then
 *   all of it, `successes` in a row at each; then closed. A counted failure opens it again, for twice as long.
 *
 * A delivery is through, and its place free, with its first output, when the section settles it, or when it is
 * taken back. A success is an output, or an ack without one; a nack is neither, nor is a message that
 * `retryWithBackoff` sends round through a topic: that opens a half-open circuit again. Give what gathers inside
 * the section, as `batch`, a bound in time: one delivery alone does not fill it.
 *
 * A completed source ends the section once nobody waits any more; unsubscribing forgets who waits. Each
 * subscription has a circuit of its own.
 *
 * @example
 * prices.pipe(circuitBreaker(each(price$ => price$.pipe(mergeMap(enrich))), { failures: 3, coolDownMs: 10_000 }))
 *
 * @throws OptionError when made, for a limit out of range
 */
export function circuitBreaker<A, B>(
  section: Section<A, B>,
  options: CircuitBreakerOptions = {},
): Section<A, B> {
  const {
    name = 'circuitBreaker',
    scheduler = asyncScheduler,
    whenOpen = 'wait',
    meter = idleMeter,
  } = options;
  const limits = limitsOf(name, options);
  if (!['wait', 'fail'].includes(whenOpen))
    throw new OptionError(`${name}.whenOpen`, whenOpen, 'wait or fail');
  const counts = options.counts ?? (failure => failure.retryable);
  return aroundSection(name, section, (subscriber, entrance) => {
    const opened = meter.counter('stream_circuit_opened_total', { stage: name });
    const changed: CircuitListener = (from, to, reason) => {
      if (to === 'open') opened.add();
      try {
        options.onChange?.({ stage: name, from, to, reason, at: scheduler.now() });
      } catch (error) {
        subscriber.error(error);
      }
      gate.changed(to);
    };
    const circuit = new Circuit(name, limits, { scheduler, changed });
    const gate = new CircuitGate<A, B>(circuit, subscriber, entrance, { name, whenOpen, counts, scheduler });
    subscriber.add(meter.gauge('stream_circuit_state', () => levels[circuit.state], { stage: name }));
    subscriber.add(meter.gauge('stream_buffered', () => gate.waiting, { stage: name }));
    return {
      next: delivery => gate.accept(delivery),
      left: output => gate.leave(output),
      complete: () => gate.complete(),
      teardown: () => {
        circuit.stop();
        gate.close();
      },
    };
  });
}

const levels: Readonly<Record<CircuitState, number>> = { closed: 0, 'half-open': 1, open: 2 };

/** @throws OptionError for one out of range */
function limitsOf(name: string, options: CircuitBreakerOptions): CircuitLimits {
  const { failures = 5, errorShare, coolDownMs = 30_000, demand = 1024, successes = 5 } = options;
  const { maxCoolDownMs = Math.max(300_000, coolDownMs) } = options;
  wholeNumber(`${name}.failures`, failures, 1);
  finiteNumber(`${name}.coolDownMs`, coolDownMs, 1);
  finiteNumber(`${name}.maxCoolDownMs`, maxCoolDownMs, coolDownMs);
  wholeNumber(`${name}.demand`, demand, 1);
  wholeNumber(`${name}.successes`, successes, 1);
  if (errorShare) {
    finiteNumber(`${name}.errorShare.share`, errorShare.share, 0.001, 1);
    finiteNumber(`${name}.errorShare.windowMs`, errorShare.windowMs, 1);
    wholeNumber(`${name}.errorShare.minimum`, errorShare.minimum, 1);
  }
  return { failures, errorShare, coolDownMs, maxCoolDownMs, demand, successes };
}
