import { describe, expect, it } from 'vitest';
import { substitute } from '../../src/config/environment.ts';

const env = { HOST: 'example', EMPTY: '', NESTED: '${HOST}' };

describe('substitute', () => {
  it.each([
    ['plain', 'plain', false],
    ['${HOST}:80', 'example:80', true],
    ['${HOST}${HOST}', 'exampleexample', true],
    ['${ABSENT:-a:-b}', 'a:-b', true],
    ['${EMPTY:-other}', 'other', true],
    ['${EMPTY}', '', true],
    ['${ABSENT:-}', '', true],
    ['$HOST $ {HOST}', '$HOST $ {HOST}', false],
    ['$${HOST}', '${HOST}', false],
    ['${NESTED}', '${HOST}', true],
  ])('turns %j into %j', (text, result, substituted) => {
    expect(substitute(text, env)).toEqual({ text: result, substituted, faults: [] });
  });

  it.each([
    ['${ABSENT}', 'the environment variable ABSENT is not set, set it or write ${ABSENT:-default}'],
    ['${toString}', 'the environment variable toString is not set, set it or write ${toString:-default}'],
    ['${1X}', '${1X} names no environment variable, write ${NAME} or ${NAME:-default}'],
    ['${HOST', '${HOST has no closing brace, write ${NAME}, or $${ for a plain ${'],
  ])('reports %j', (text, fault) => {
    expect(substitute(text, env).faults).toEqual([fault]);
  });

  it('bounds the references of one text', () => {
    expect(substitute('${HOST}'.repeat(101), env).faults).toEqual([
      'has 101 references to the environment, keep to 100',
    ]);
  });
});
