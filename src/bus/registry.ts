import { BusError } from '../core/publisher.ts';
import type { EventBus } from './event-bus.ts';

/** Makes a bus from the options of its kind. */
export type BackendFactory<Options extends object> = (options: Options) => EventBus;

/** The options that each kind of backend takes. */
type OptionsByKind = Readonly<Record<string, object>>;

/** What `create` takes: the kind, and the options of that kind. */
export type BusOptions<Kinds extends OptionsByKind, K extends keyof Kinds = keyof Kinds> = {
  [Kind in K]: { readonly kind: Kind } & Kinds[Kind];
}[K];

/**
 * The backends that can be asked for by name. A third party adds its own without editing ours:
 *
 * @example
 * const { create } = backends.with('acme', acmeBus); // acmeBus: (options: AcmeOptions) => EventBus
 * const bus = create({ kind: 'acme', url: 'acme://localhost' });
 */
export class BackendRegistry<Kinds extends OptionsByKind> {
  readonly #factories: ReadonlyMap<PropertyKey, BackendFactory<never>>;

  private constructor(factories: ReadonlyMap<PropertyKey, BackendFactory<never>>) {
    this.#factories = factories;
  }

  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- no kinds yet
  static readonly empty: BackendRegistry<{}> = new BackendRegistry(new Map());

  /** This registry and one backend more. */
  with<K extends string, Options extends object>(
    kind: K,
    factory: BackendFactory<Options>,
  ): BackendRegistry<Kinds & Readonly<Record<K, Options>>> {
    return new BackendRegistry(new Map([...this.#factories, [kind, factory]]));
  }

  get kinds(): readonly string[] {
    return [...this.#factories.keys()].map(String);
  }

  /** @throws BusError `unsupported-backend` naming the kinds there are */
  readonly create = (options: BusOptions<Kinds>): EventBus => {
    const factory = this.#factories.get(options.kind) as BackendFactory<BusOptions<Kinds>> | undefined;
    if (factory) return factory(options);
    throw new BusError(
      'unsupported-backend',
      `no backend of kind "${String(options.kind)}": use one of ${this.kinds.join(', ')}, or add it to the registry`,
    );
  };
}
