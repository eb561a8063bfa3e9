import { readFileSync } from 'node:fs';
import type * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { GateSettings, defaultGateSettings } from '../../pipelines/gate-settings.ts';
import { LiquiditySettings, defaultLiquiditySettings } from '../../pipelines/liquidity-measure.ts';
import { MomentumSettings, defaultMomentumSettings } from '../../pipelines/momentum-settings.ts';
import { RegimeSettings, defaultRegimeSettings } from '../../pipelines/regime-settings.ts';
import { SignalSettings, defaultSignalSettings } from '../../pipelines/signal-settings.ts';

const all: readonly [string, t.Mixed, unknown][] = [
  ['momentum', MomentumSettings, defaultMomentumSettings],
  ['regimes', RegimeSettings, defaultRegimeSettings],
  ['liquidity', LiquiditySettings, defaultLiquiditySettings],
  ['gates', GateSettings, defaultGateSettings],
  ['signals', SignalSettings, defaultSignalSettings],
];

describe.each(all)('configs/%s.yaml', (name, codec, defaults) => {
  const text = readFileSync(new URL(`../../configs/${name}.yaml`, import.meta.url), 'utf8');

  it('holds exactly the defaults, which its codec accepts', () => {
    expect(parse(text)).toEqual(defaults);
    expect(codec.decode(parse(text))).toEqual({ _tag: 'Right', right: defaults });
  });

  it('has no number that its codec does not look at', () => {
    const broken = (value: unknown, path: readonly string[]): unknown => {
      const [key = '', ...rest] = path;
      const fields = value as Record<string, unknown>;
      return { ...fields, [key]: rest.length === 0 ? -1e9 : broken(fields[key], rest) };
    };
    const paths = (value: unknown): string[][] =>
      Object.entries(value as object).flatMap(([key, inner]: [string, unknown]) =>
        typeof inner === 'object' ? paths(inner).map(p => [key, ...p]) : [[key]],
      );
    for (const path of paths(defaults)) expect(codec.is(broken(defaults, path)), path.join('.')).toBe(false);
  });
});

describe('MomentumSettings', () => {
  it('refuses weights that do not add up to 100, and lags that do not fit', () => {
    const { weights, indicators } = defaultMomentumSettings;
    const off = { ...weights, choppy: { ...weights.choppy, '1h': 26 } };
    expect(MomentumSettings.is({ ...defaultMomentumSettings, weights: off })).toBe(false);
    const result = MomentumSettings.decode({ ...defaultMomentumSettings, weights: off });
    expect(result._tag === 'Left' && result.left[0]?.context.map(c => c.key)).toEqual([
      '',
      'weights',
      'choppy',
    ]);
    const lags = { ...indicators, hurstLagFrom: 20 };
    expect(MomentumSettings.is({ ...defaultMomentumSettings, indicators: lags })).toBe(false);
  });
});
