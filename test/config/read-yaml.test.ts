import { describe, expect, it } from 'vitest';
import { plainValue } from '../../src/config/located.ts';
import { readYaml } from '../../src/config/read-yaml.ts';

const valueOf = (text: string): unknown => {
  const { root } = readYaml(text, {});
  return root && plainValue(root);
};
const issuesOf = (text: string, env = {}): string[] =>
  readYaml(text, env).issues.map(({ at, path, text }) => `${at.line}:${at.column} ${path}: ${text}`);

describe('readYaml', () => {
  it('reads maps, lists, scalars and aliases', () => {
    expect(valueOf('a: &x [1, two, null, true]\nb: *x\nc: {d: "1"}\n')).toEqual({
      a: [1, 'two', null, true],
      b: [1, 'two', null, true],
      c: { d: '1' },
    });
  });

  it('reads a CRLF file with a byte order mark at the right places', () => {
    expect(issuesOf('\uFEFFa: 1\r\nb: 2\r\na: 3\r\n')).toEqual([
      '3:1 a: is written twice, first in line 1, keep one of them',
    ]);
  });

  it.each([
    ['a: [1, 2', /^1:9 : .*, correct the YAML here$/],
    ['a: b: c', /^1:4 : Nested mappings.*, correct the YAML here$/],
    ['a: "\\q"', /^1:5 : Invalid escape sequence \\q, correct the YAML here$/],
    ['a: !!set {b}', /^1:4 : Unresolved tag: .*, correct the YAML here$/],
    ['a: 1\n---\nb: 2\n', /^2:1 : .*multiple documents.*, correct the YAML here$/],
  ])('reports broken syntax of %j', (text, problem) => {
    expect(issuesOf(text)[0]).toMatch(problem);
  });

  it('refuses an alias without its anchor, and __proto__', () => {
    expect(issuesOf('a: *nowhere\n__proto__: 1\n')).toEqual([
      '1:4 a: *nowhere stands for nothing, write &nowhere before it',
      '2:1 __proto__: may not be used as a key, choose another name',
    ]);
  });

  it('stops at a bomb of aliases', () => {
    const levels = Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(9)}1]`);
    expect(issuesOf(['a0: &a0 [x]', ...levels].join('\n'))).toEqual([
      expect.stringContaining('makes the file larger than 100000 values'),
    ]);
  });

  it('stops at an anchor that holds itself', () => {
    expect(issuesOf('a: &a\n  b: *a\n')).toEqual([expect.stringContaining('nested deeper than 64 levels')]);
  });

  it('reports nesting that would exhaust the stack in few words', () => {
    for (const text of ['['.repeat(200_000), '- '.repeat(200_000), '{a: '.repeat(100_000)]) {
      const issues = issuesOf(text);
      expect(issues.length).toBeGreaterThan(0);
      expect(issues.length).toBeLessThanOrEqual(20);
    }
    expect(issuesOf(`${'['.repeat(80)}${']'.repeat(80)}`)).toEqual([
      expect.stringContaining('is nested deeper than 64 levels'),
    ]);
  });

  it('stops where variables grow past the limit of a file', () => {
    const text = Array.from({ length: 30 }, (_, n) => `k${n}: \${BIG}`).join('\n');
    const issues = issuesOf(text, { BIG: 'x'.repeat(100_000) });
    expect(issues).toEqual([expect.stringMatching(/^11:6 k10: .*variables larger than 1MB/)]);
  });

  it('reads a hundred thousand keys without taking the square of their number', () => {
    const text = Array.from({ length: 90_000 }, (_, n) => `k${n}: 1`).join('\n');
    expect(issuesOf(text)).toEqual([]);
  });
});
