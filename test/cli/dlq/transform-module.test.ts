import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { transformModule } from '../../../src/cli/dlq/transform-module.ts';

const folder = mkdtempSync(join(tmpdir(), 'transform-'));

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('transformModule', () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('tells modules apart by their text', async () => {
    const one = await transformModule(written('one.mjs', 'export default letter => letter.payload'));
    const same = await transformModule(written('same.mjs', 'export default letter => letter.payload'));
    const other = await transformModule(written('other.mjs', 'export default () => null'));
    expect(same.transformId).toBe(one.transformId);
    expect(other.transformId).not.toBe(one.transformId);
    expect(other.transform({} as never)).toBeNull();
  });

  it.each([
    ['none.mjs', undefined, 'there is no file'],
    ['syntax.mjs', 'export default (', 'cannot be loaded'],
    ['throws.mjs', 'throw new Error("at once")', 'cannot be loaded: at once'],
    ['named.mjs', 'export const transform = () => null', 'no default export that is a function'],
    ['value.mjs', 'export default 7', 'no default export that is a function'],
  ])('refuses %s', async (name, text, says) => {
    const path = text === undefined ? join(folder, name) : written(name, text);
    await expect(transformModule(path)).rejects.toThrow(says);
    await expect(transformModule(path)).rejects.toMatchObject({ exitCode: 2 });
  });
});
