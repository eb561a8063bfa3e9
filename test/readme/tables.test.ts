import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeBlocks, projectFolder, readme, tableBelow } from './code-blocks.ts';
import { generatedParts } from './generated-parts.ts';
import { operatorDocs } from './operator-docs.ts';
import { topicRows } from './topic-table.ts';

/** What stands in backquotes; a row without any has an empty name. */
function namesIn(cell: string): readonly string[] {
  const names = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  return names.length === 0 ? [''] : names;
}

/** Text as it is once it does not matter how wide the columns of its tables are. */
function asWritten(text: string): string {
  return text.replaceAll(/-{3,}/g, '---').replaceAll(/ +/g, ' ').trim();
}

describe('README tables', () => {
  it.each(Object.entries(generatedParts()))(
    'says of %s what the code says: npm run readme',
    (name, content) => {
      const standing = readme.split(`<!-- ${name} -->`)[1]?.split(`<!-- /${name} -->`)[0] ?? '';
      expect(asWritten(standing)).toBe(asWritten(content));
    },
  );

  it('lists the topics as configs/stream/topics.yaml has them', () => {
    expect(tableBelow('## Topics')).toEqual(topicRows());
  });

  const operators = operatorDocs();

  it('finds the operators', () => {
    expect(operators.length).toBeGreaterThan(8);
  });

  it.each(operators)('lists $name with the diagram of its doc comment', ({ name, diagram }) => {
    const section = readme.split('\n## Operators\n')[1]?.split('\n## ')[0] ?? '';
    expect(section).toContain(`\`${name}\``);
    expect(diagram).not.toBe('');
    expect(codeBlocks('text').join('\n')).toContain(diagram);
  });

  it.each([
    { of: 'what happens when things go wrong', mark: '<!-- failures -->', rows: 10 },
    { of: 'what Kafka guarantees', mark: '<!-- guarantees -->', rows: 3 },
    { of: 'what exactly-once promises', mark: '<!-- exactly-once -->', rows: 5 },
  ])('names a test for each row of $of', ({ mark, rows }) => {
    const named = tableBelow(mark).flatMap(row => namesIn(row.at(-1) ?? ''));
    const paths = globSync('test/**/*.test.ts', { cwd: projectFolder });
    const tests = paths.map(path => readFileSync(join(projectFolder, path), 'utf8')).join('\n');
    expect(named.length).toBeGreaterThan(rows);
    expect(named.filter(name => !paths.includes(name) && !tests.includes(`'${name}'`))).toEqual([]);
  });

  it('names only npm scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...readme.matchAll(/npm run (?:-s )?([\w:]+)/g)].map(([, name = '']) => name);
    expect(named.filter(name => !(name in scripts))).toEqual([]);
  });

  it('names only files that there are', () => {
    const named = [...readme.matchAll(/\bconfigs\/[\w/]+\.yaml/g)].map(([path]) => path);
    expect(named.length).toBeGreaterThan(1);
    expect(named.filter(path => !existsSync(join(projectFolder, path)))).toEqual([]);
  });

  it('lists every command', async () => {
    const { main } = await import('../../src/cli/program.ts');
    const lines: string[] = [];
    const terminal = {
      out: (text: string) => void lines.push(text),
      err: () => undefined,
      stream: { write: () => undefined, columns: 80, rows: 24 },
      isInteractive: false,
      confirm: () => Promise.resolve(true),
      colour: false,
    };
    await main(['--help'], terminal);
    const commands = [...lines.join('\n').matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name = '']) => name);
    const listed = tableBelow('## Command line').map(([command = '']) => /`(\w+)/.exec(command)?.[1]);
    expect(listed.filter(name => name !== undefined)).toEqual(commands);
  });
});
