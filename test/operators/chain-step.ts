import type { Observable, OperatorFunction, SchedulerLike } from 'rxjs';
import type { Delivery } from '../../src/core/delivery.ts';
import type { Marker } from '../../src/core/marker.ts';
import type { Meter } from '../../src/core/meter.ts';
import type { FakePublisher } from '../../src/testing/index.ts';

/** What the steps of a chain are made with. */
export interface ChainTools {
  readonly scheduler: SchedulerLike;
  readonly publisher: FakePublisher;
  readonly meter: Meter;
  /** Rows and markers of event time, for joins. */
  readonly table: () => Observable<Delivery<string | Marker>>;
}

export type Text = OperatorFunction<Delivery<string>, Delivery<string>>;

/** One step of a random chain. */
export interface ChainStep {
  readonly text: string;
  /** It may bring values of a key out of their order, judged by their first coming, over failures or restarts. */
  readonly isUnordered?: true;
  /** How many values it may hold back. */
  readonly bound: number;
  readonly make: (name: string, tools: ChainTools) => Text;
}
