import { type OperatorFunction, type SchedulerLike, delay, map } from 'rxjs';
import { type CircuitBreakerOptions, circuitBreaker } from '../../operators/circuit-breaker.ts';
import type { CircuitChange } from '../../operators/circuit.ts';
import { mapValues } from '../../operators/map-values.ts';
import { type Delivery, fail, settlement } from '../../src/core/delivery.ts';
import { stage } from '../../src/core/stage.ts';
import { type Givens, deliveryTest, failureWith } from '../../src/testing/index.ts';

export type Section<B = string> = OperatorFunction<Delivery<string>, Delivery<B>>;

const all = Array.from('abcdefghijklmnopqrstuvwxyz');
const capitals = all.map(letter => letter.toUpperCase());

/** Each letter is its own value, also `F`. */
export const letters: Givens<string> = Object.fromEntries(
  [...all, ...capitals].map(letter => [letter, letter]),
);

/** What comes out of the service: capitals as failures. */
export const answers: Readonly<Record<string, unknown>> = {
  ...letters,
  ...Object.fromEntries(capitals.map(letter => [letter, failureWith('handle', { stage: 'mapValues' })])),
};

export const throwOnCapital = <A>(value: A): A => {
  if (/[A-Z]/.test(String(value))) throw new Error(`down for ${String(value)}`);
  return value;
};

/** Is down for capitals; `M` is malformed. */
export const service: Section = source$ =>
  source$.pipe(
    mapValues(throwOnCapital),
    map(delivery =>
      delivery.ok || delivery.message.key !== 'M'
        ? delivery
        : fail(delivery, { ...delivery.failure, retryable: false }),
    ),
  );

/** The same, and each takes so long. */
export function slowService(ms: number, scheduler: SchedulerLike): Section {
  return source$ => source$.pipe(service, delay(ms, scheduler));
}

/** Takes out what it is told to; whoever takes it settles it. */
export function takeOut(letter: string, take: (delivery: Delivery<string>) => void): Section {
  return stage('takeOut', subscriber => ({
    next: (delivery: Delivery<string>) => {
      if (delivery.ok && delivery.value === letter) take(delivery);
      else subscriber.next(delivery);
    },
  }));
}

/** When a circuit round a section first opens while these letters come, ms; what comes out is settled as told. */
export function openedAt(
  marbles: string,
  options: CircuitBreakerOptions = {},
  section: Section<unknown> = service,
  settle: (delivery: Delivery<unknown>) => void = ackAll,
): number | undefined {
  const changes: CircuitChange[] = [];
  deliveryTest(({ cold, scheduler }) => {
    const onChange = (change: CircuitChange): void => void changes.push(change);
    cold(marbles, letters)
      .pipe(circuitBreaker(section, { scheduler, onChange, ...options }))
      .subscribe(settle);
  });
  return changes.find(({ to }) => to === 'open')?.at;
}

/** As the end of a pipeline and its dead letters do. */
function ackAll(delivery: Delivery<unknown>): void {
  delivery[settlement].ack();
}
