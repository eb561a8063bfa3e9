import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder, readme } from './code-blocks.ts';
import { generatedParts } from './generated-parts.ts';

/**
 * Writes the parts of the README that say again what the code says: `npm run readme`. Each stands between
 * `<!-- name -->` and `<!-- /name -->`.
 */
let text = readme;
for (const [name, content] of Object.entries(generatedParts())) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`README.md has no place for ${name}: write ${begin} and ${end} there`);
  text = `${text.slice(0, from)}${begin}\n\n${content}\n\n${text.slice(to)}`;
}
writeFileSync(join(projectFolder, 'README.md'), text);
