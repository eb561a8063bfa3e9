import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder, readme } from './code-blocks.ts';
import { operatorDocs } from './operator-docs.ts';
import { topicRows } from './topic-table.ts';

/**
 * Writes the parts of the README that say again what the code says: `npm run readme`. Each stands between
 * `<!-- name -->` and `<!-- /name -->`.
 */
const operators = operatorDocs();
const parts: Readonly<Record<string, string>> = {
  operators: [
    table(
      ['operator', 'what it does'],
      operators.map(({ name, summary }) => [`\`${name}\``, summary]),
    ),
    '<details><summary>Their marble diagrams</summary>',
    ['```text', operators.map(({ name, diagram }) => `${name}\n${diagram}`).join('\n\n'), '```'].join('\n'),
    '</details>',
  ].join('\n\n'),
  topics: table(['topic', 'holds', 'key', 'partitions', 'retention'], topicRows()),
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n');
}

let text = readme;
for (const [name, content] of Object.entries(parts)) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`README.md has no place for ${name}: write ${begin} and ${end} there`);
  text = `${text.slice(0, from)}${begin}\n\n${content}\n\n${text.slice(to)}`;
}
writeFileSync(join(projectFolder, 'README.md'), text);
