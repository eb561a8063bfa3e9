import * as t from 'io-ts';
import { expect, it } from 'vitest';
import { describeConfig } from '../../src/config/describe-config.ts';
import { field } from '../../src/config/field.ts';
import { taggedBy } from '../../src/config/tagged.ts';
import { Duration, oneOf } from '../../src/config/values.ts';

it('describeConfig lists keys with what they take, their defaults and meaning', () => {
  const codec = t.intersection([
    t.type({
      wait: field(Duration, 'how long to wait', '30s'),
      on: field(taggedBy('kind', { a: t.type({ x: field(t.number, 'x | y') }) }), 'where'),
    }),
    t.partial({ mode: field(oneOf('fast', 'safe'), 'how') }),
  ]);
  expect(describeConfig(codec).split('\n')).toEqual([
    '| key | takes | default | meaning |',
    '| --- | --- | --- | --- |',
    '| `wait` | duration | `"30s"` | how long to wait |',
    '| `on` | map with "kind: a" | required | where |',
    '| `on (kind: a).x` | number | required | x \\| y |',
    '| `mode` | fast, safe | none | how |',
  ]);
});
