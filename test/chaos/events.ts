import { randomFrom } from '../../src/feeds/simulator/random.ts';

/** What happens to a cluster and the workers on it. Workers are numbered by their places, brokers from 0. */
export type ChaosEvent =
  /** SIGKILL, and another in its place. */
  | { readonly kind: 'kill-worker'; readonly worker: number }
  /** It stands still, as a machine does that swaps or is moved, and goes on as if nothing had been. */
  | { readonly kind: 'freeze-worker'; readonly worker: number; readonly forMs: number }
  /** Its handlers take their time. */
  | { readonly kind: 'slow-worker'; readonly worker: number; readonly forMs: number }
  /** It reaches no broker: connections are refused, or nothing comes back. */
  | { readonly kind: 'cut-off-worker'; readonly worker: number; readonly how: Cut; readonly forMs: number }
  /** One worker ends as an operator ends it; its place stays empty for a while. */
  | { readonly kind: 'remove-worker'; readonly worker: number; readonly forMs: number }
  /** One more comes for a while. */
  | { readonly kind: 'add-worker'; readonly forMs: number }
  | { readonly kind: 'bounce-broker'; readonly broker: number; readonly how: Bounce; readonly awayMs: number }
  | { readonly kind: 'bounce-all-brokers'; readonly how: Bounce; readonly awayMs: number };

export type ChaosKind = ChaosEvent['kind'];

type Cut = 'cut' | 'stall';
/** `kill` is SIGKILL, `stop` an orderly end. */
type Bounce = 'kill' | 'stop';

export const chaosKinds: readonly ChaosKind[] = [
  'kill-worker',
  'freeze-worker',
  'slow-worker',
  'cut-off-worker',
  'remove-worker',
  'add-worker',
  'bounce-broker',
  'bounce-all-brokers',
];

/** An event, and when it comes: once the job has written this share of everything that it should, from 0 to 1. */
export interface PlannedEvent {
  readonly at: number;
  readonly event: ChaosEvent;
}

/**
 * So many events, spread over the job, the same for the same seed, kinds and sizes; each kind comes before any comes
 * again.
 */
export function plannedEvents(
  seed: number,
  count: number,
  { kinds = chaosKinds, workers, brokers }: ChaosSizes,
): readonly PlannedEvent[] {
  const random = randomFrom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const between = (low: number, high: number): number => Math.round(low + random() * (high - low));
  const eventOf = (kind: ChaosKind): ChaosEvent => {
    switch (kind) {
      case 'kill-worker':
        return { kind, worker: below(workers) };
      case 'freeze-worker':
        return { kind, worker: below(workers), forMs: between(1_000, 15_000) };
      case 'slow-worker':
        return { kind, worker: below(workers), forMs: between(5_000, 15_000) };
      case 'cut-off-worker':
        return {
          kind,
          worker: below(workers),
          how: random() < 0.5 ? 'cut' : 'stall',
          forMs: between(1_000, 15_000),
        };
      case 'remove-worker':
        return { kind, worker: below(workers), forMs: between(1_000, 5_000) };
      case 'add-worker':
        return { kind, forMs: between(5_000, 15_000) };
      case 'bounce-broker':
        return {
          kind,
          broker: below(brokers),
          how: random() < 0.5 ? 'kill' : 'stop',
          awayMs: between(0, 5_000),
        };
      case 'bounce-all-brokers':
        return { kind, how: random() < 0.5 ? 'kill' : 'stop', awayMs: between(0, 3_000) };
    }
  };
  let left: ChaosKind[] = [];
  return Array.from({ length: count }, (_, place) => {
    if (left.length === 0) left = [...kinds];
    const [kind = 'kill-worker'] = left.splice(below(left.length), 1);
    return { at: (place + random()) / count, event: eventOf(kind) };
  });
}

export interface ChaosSizes {
  /** All by default. */
  readonly kinds?: readonly ChaosKind[];
  readonly workers: number;
  readonly brokers: number;
}

/** As a line for people. */
export function eventText(event: ChaosEvent): string {
  switch (event.kind) {
    case 'kill-worker':
      return `kill worker ${event.worker}`;
    case 'freeze-worker':
      return `freeze worker ${event.worker} for ${event.forMs} ms`;
    case 'slow-worker':
      return `worker ${event.worker} is slow for ${event.forMs} ms`;
    case 'cut-off-worker':
      return `cut worker ${event.worker} off (${event.how}) for ${event.forMs} ms`;
    case 'remove-worker':
      return `stop worker ${event.worker} for ${event.forMs} ms`;
    case 'add-worker':
      return `one more worker for ${event.forMs} ms`;
    case 'bounce-broker':
      return `${event.how} broker ${event.broker}, away for ${event.awayMs} ms`;
    case 'bounce-all-brokers':
      return `${event.how} all brokers, away for ${event.awayMs} ms`;
  }
}
