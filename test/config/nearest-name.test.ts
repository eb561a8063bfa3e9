import { describe, expect, it } from 'vitest';
import { editDistance, knownNames, nearestName } from '../../src/config/nearest-name.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['retention', 'retenton', 1],
    ['abcd', 'acbd', 1],
  ])('from %j to %j is %i', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
    expect(editDistance(to, from)).toBe(distance);
  });
});

describe('nearestName', () => {
  it('finds the nearest, whatever its case', () => {
    expect(nearestName('Retenton', ['partitions', 'retention', 'retentionBytes'])).toBe('retention');
  });

  it('finds none where none is near or the name is very long', () => {
    expect(nearestName('banana', ['partitions', 'retention'])).toBeUndefined();
    expect(nearestName('x'.repeat(100_000), ['x'])).toBeUndefined();
  });

  it('is told together with all that is known', () => {
    expect(knownNames('stubb', ['stub', 'embedded'])).toBe('did you mean stub? (known: stub, embedded)');
    expect(knownNames('nothing-like-it', ['stub'])).toBe('known: stub');
    expect(knownNames('a', [])).toBe('nothing is known here');
  });
});
