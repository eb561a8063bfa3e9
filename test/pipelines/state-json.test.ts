import fc from 'fast-check';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { encodeState, ringOfNumbers } from '../../pipelines/state-json.ts';
import { StateRefused, decodeState, jsonState } from '../../src/index.ts';

const State = t.type({ count: t.number, list: t.array(t.number), ring: ringOfNumbers });

describe('stored state', () => {
  it('keeps every double of a ring, NaN included', () => {
    fc.assert(
      fc.property(fc.float64Array(), ring => {
        const json: unknown = JSON.parse(JSON.stringify(encodeState(State, { count: 1, list: [], ring })));
        expect(decodeState('test', State, json).ring).toEqual(ring);
      }),
    );
  });

  it('shares nothing with the live state, in either direction', () => {
    const live = { count: 1, list: [1], ring: new Float64Array([1]) };
    const json = encodeState(State, live);
    expect(json).toEqual({ count: 1, list: [1], ring: expect.any(String) as string });
    live.list.push(2);
    live.ring[0] = 2;
    const first = decodeState('test', State, json);
    first.list.push(3);
    expect(decodeState('test', State, json)).toEqual({ count: 1, list: [1], ring: new Float64Array([1]) });
  });

  it.each([
    [{ count: 'x', list: [], ring: '' }, 'at count expected number'],
    [{ count: 1, list: [1, null], ring: '' }, 'at list.1 expected number'],
    [{ count: 1, list: [], ring: 'AAAA' }, 'at ring expected base64 of doubles'],
    [{ count: 1, list: [], ring: 5 }, 'at ring expected base64 of doubles'],
    [undefined, 'at its top expected'],
  ])('refuses %j and says where', (json, words) => {
    expect(() => decodeState('test', State, json)).toThrow(StateRefused);
    expect(() => decodeState('test', State, json)).toThrow(words);
    expect(() => jsonState('1', State).decode(json)).toThrow(words);
  });
});
