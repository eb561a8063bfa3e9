import * as fc from 'fast-check';
import { joinAsOf } from '../../operators/join-as-of.ts';
import { scanByKey } from '../../operators/scan-by-key.ts';
import { tumblingWindow } from '../../operators/tumbling-window.ts';
import { jsonState } from '../../src/core/state.ts';
import { tableOf } from '../../src/core/table.ts';
import type { ChainStep } from './chain-step.ts';
import { fails } from './slow-work.ts';

interface Held {
  last: string;
}

const held = jsonState('1', json => json as Held);

/** Steps that remember: state of their own, which is gone with their subscription. */
export const statefulSteps: readonly fc.Arbitrary<ChainStep>[] = [
  fc.integer({ min: 2, max: 9 }).map(modulo => ({
    text: `scan, 1 in ${modulo} throws`,
    bound: 0,
    make: (name, { scheduler }) =>
      scanByKey<string, Held, string>(
        (state, value) => {
          if (fails(value, modulo)) throw new Error('thrown');
          state.last = value;
          return [value];
        },
        { name, seed: last => ({ last }), codec: held, scheduler },
      ),
  })),
  fc.tuple(fc.integer({ min: 2, max: 20 }), fc.nat(5)).map(([sizeMs, latenessMs]) => ({
    text: `the last of each ${sizeMs} ms, ${latenessMs} ms late`,
    // A window that is gathered anew after a restart may hold less, and come late.
    isUnordered: true,
    bound: 0,
    make: (name, { scheduler, meter }) =>
      tumblingWindow<string, Held, string>(
        {
          open: last => ({ last }),
          add: (window, value) => {
            window.last = value;
          },
          close: ({ last }) => last,
        },
        { name, sizeMs, latenessMs, codec: held, scheduler, meter },
      ),
  })),
  fc.boolean().map(exact => ({
    text: `join as of${exact ? ', exact' : ''}`,
    bound: 0,
    make: (name, { table, scheduler, meter }) =>
      joinAsOf<string, string, string>(tableOf(table(), 3), value => value, {
        ...{ name, scheduler, meter, exact },
        ...{ scope: 'partition' },
      }),
  })),
];
