import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectFolder } from '../readme/code-blocks.ts';
import { mutants } from './mutants.ts';
import { properties } from './properties.ts';

const timesIn = (file: string, text: string): number =>
  readFileSync(join(projectFolder, file), 'utf8').split(text).length - 1;

// Whether they are found takes minutes (`npm run mutants`); that they can be made must be known with every change.
it.each(mutants)('the mutant "$name" can be made', ({ file, was }) => {
  expect(timesIn(file, was)).toBe(1);
});

it.each(Object.values(properties))('the property "$test" is in $file', ({ file, test }) => {
  // Some are one of several that a table makes, and are told apart behind a colon.
  expect(timesIn(file, test.replace(/: \w+$/, ''))).toBe(1);
});

it('each property has a mutant', () => {
  expect(new Set(mutants.map(({ property }) => property))).toEqual(new Set(Object.keys(properties)));
});
