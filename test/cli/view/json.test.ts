import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderJson } from '../../../src/cli/view/json.ts';
import { anyState } from './arbitrary-state.ts';
import { stateOf } from './states.ts';

describe('renderJson', () => {
  it('is one object in one line with the documented keys', () => {
    fc.assert(
      fc.property(anyState, state => {
        const line = renderJson(state);
        expect(line).not.toContain('\n');
        expect(Object.keys(JSON.parse(line) as object)).toEqual(
          'type version phase title now elapsedMs feed pipelines warmUps regime signals tallies counts deadLetters problems directory'.split(
            ' ',
          ),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('gives null for what is not known and an object for the keys that are held', () => {
    const state = stateOf({ regime: undefined, directory: undefined });
    const json = JSON.parse(renderJson({ ...state, feed: { ...state.feed, progress: undefined } })) as Record<
      string,
      unknown
    >;
    expect(json).toMatchObject({ regime: null, directory: null, feed: { progress: null, items: 1_204_881 } });
    expect(json).toMatchObject({
      pipelines: [
        { name: 'bars', stuckAt: null, keys: { aggregate: 12 }, lagMs: 2_100 },
        {},
        {},
        {},
        {},
        {},
        {},
      ],
    });
  });
});
