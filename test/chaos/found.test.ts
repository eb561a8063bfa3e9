import { expect, it } from 'vitest';
import { counted, inWords, isBad } from './found.ts';

const nothing = { lost: 0, wrong: 0, reordered: 0, duplicates: 0, backwards: 0, vanished: 0 };

it('is well where nothing was found', () => {
  expect([isBad(nothing, 'at-least-once'), isBad(nothing, 'exactly-once')]).toEqual([false, false]);
});

// Kills: a verdict that leaves out one of the things that are counted.
it.for(counted)('is bad, and says so, where something is counted as %s', what => {
  const found = { ...nothing, [what]: 7 };
  expect(isBad(found, 'exactly-once')).toBe(true);
  // What comes twice is only a failure where it was promised not to.
  expect(isBad(found, 'at-least-once')).toBe(what !== 'duplicates');
  expect(inWords(found).match(/\d+/g)?.toSorted().join()).toBe('0,0,0,0,0,7');
});
