import * as t from 'io-ts';

/** What kind of market the whole universe is in; `unknown` until there is enough to tell. */
export type RegimeLabel = 'trending_bull' | 'choppy' | 'high_vol' | 'unknown';

export const RegimeLabel: t.Type<RegimeLabel> = t.keyof({
  trending_bull: null,
  choppy: null,
  high_vol: null,
  unknown: null,
});

/** One value for each regime. */
export interface PerRegime<A> {
  readonly trending_bull: A;
  readonly choppy: A;
  readonly high_vol: A;
  readonly unknown: A;
}

/** The codec of one value for each regime. */
export function perRegime<A>(value: t.Type<A>): t.Type<PerRegime<A>> {
  return t.type({ trending_bull: value, choppy: value, high_vol: value, unknown: value });
}
