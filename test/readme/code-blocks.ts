import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The project's own folder. */
export const projectFolder: string = fileURLToPath(new URL('../..', import.meta.url));

export const readme: string = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The code of the README's blocks in a language, as it stands there. */
export function codeBlocks(language: string): readonly string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...readme.matchAll(fence)].map(([, code = '']) => code);
}

/** The one block of a language whose first line is a comment that names it as a file, such as `// program.ts`. */
export function fileBlock(name: string): string {
  const found = codeBlocks(name.endsWith('.ts') ? 'ts' : 'text').filter(code =>
    code.startsWith(`// ${name}\n`),
  );
  if (found.length !== 1)
    throw new Error(`README.md has ${found.length} blocks that begin with "// ${name}"`);
  return found[0] ?? '';
}

/** The cells of the rows of the README's table below a heading. */
export function tableBelow(heading: string): readonly (readonly string[])[] {
  const section = readme.split(`\n${heading}\n`)[1]?.split(/\n#/)[0] ?? '';
  const lines = section.split('\n').filter(line => line.startsWith('|'));
  return lines.slice(2).map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  );
}
