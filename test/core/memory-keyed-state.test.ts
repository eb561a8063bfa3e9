import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryKeyedState } from '../../src/core/memory-keyed-state.ts';
import { propertyRuns } from '../property-runs.ts';

/** Writes down what has changed of a partition, as a snapshot does. */
function writeDown(states: MemoryKeyedState<number>, written: Map<string, number>): readonly string[] {
  const changed: string[] = [];
  for (const entry of states.changed(0)) {
    entry.dirty = false;
    written.set(entry.key, entry.state);
    changed.push(entry.key);
  }
  const gone = [...states.takeGone(0)];
  for (const key of gone) written.delete(key);
  return [...changed, ...gone.map(key => `-${key}`)];
}

describe('states in memory', () => {
  it('tell what has changed since it was written down, and no more', () => {
    const states = new MemoryKeyedState<number>();
    const written = new Map<string, number>();
    const a = states.create(0, 'a', 1);
    states.create(0, 'b', 2);
    expect(writeDown(states, written)).toEqual(['a', 'b']);
    expect(writeDown(states, written)).toEqual([]);
    a.state = 5;
    a.dirty = true;
    states.delete(0, 'b');
    expect(writeDown(states, written)).toEqual(['a', '-b']);
    expect(written).toEqual(new Map([['a', 5]]));
  });

  it('say nothing of a key that came and went unwritten', () => {
    const states = new MemoryKeyedState<number>();
    states.create(0, 'a', 1);
    states.delete(0, 'a');
    expect(writeDown(states, new Map())).toEqual([]);
  });

  it('say of a key that was written, and made anew, that it is gone when it is', () => {
    const states = new MemoryKeyedState<number>();
    const written = new Map<string, number>();
    states.create(0, 'a', 1);
    writeDown(states, written);
    states.delete(0, 'a');
    states.create(0, 'a', 2);
    states.delete(0, 'a');
    expect(writeDown(states, written)).toEqual(['-a']);
  });

  it('say again that a key is gone where that was not written, unless it is there again', () => {
    const states = new MemoryKeyedState<number>();
    for (const key of ['a', 'b']) states.create(0, key, 1).dirty = false;
    for (const key of ['a', 'b']) states.delete(0, key);
    const gone = [...states.takeGone(0)];
    states.create(0, 'b', 2);
    for (const key of gone) states.stillGone(0, key);
    expect(writeDown(states, new Map())).toEqual(['b', '-a']);
  });

  it('leave a forgotten entry out, whoever still holds it', () => {
    const states = new MemoryKeyedState<number>();
    const entry = states.create(0, 'a', 1);
    writeDown(states, new Map());
    states.delete(0, 'a');
    entry.dirty = true;
    expect(writeDown(states, new Map())).toEqual(['-a']);
  });

  it('are what was written down, whatever was changed, forgotten and not stored', () => {
    const step = fc.record({
      do: fc.constantFrom('set', 'set', 'set', 'delete', 'write', 'lose'),
      key: fc.constantFrom('a', 'b', 'c'),
      state: fc.nat(100),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const states = new MemoryKeyedState<number>();
        const written = new Map<string, number>();
        for (const { do: what, key, state } of steps) {
          if (what === 'set') {
            const entry = states.get(0, key) ?? states.create(0, key, state);
            entry.state = state;
            entry.dirty = true;
          } else if (what === 'delete') states.delete(0, key);
          else if (what === 'write') writeDown(states, written);
          else {
            const entries = [...states.changed(0)];
            for (const entry of entries) entry.dirty = false;
            const gone = [...states.takeGone(0)];
            for (const entry of entries) entry.dirty = true;
            for (const each of gone) states.stillGone(0, each);
          }
        }
        writeDown(states, written);
        expect(written).toEqual(new Map([...states.entries(0)].map(entry => [entry.key, entry.state])));
      }),
      propertyRuns(300),
    );
  });
});
