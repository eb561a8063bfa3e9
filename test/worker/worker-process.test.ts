import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { started } from './started-process.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

describe('a worker process', () => {
  it.each([
    ['SIGTERM', 'SIGINT', 130],
    ['SIGINT', 'SIGTERM', 143],
  ] as const)('that drains after %s ends at once with %s', async (first, second, code) => {
    const { said, kill, ended } = started(at('./worker-child.ts'), '60000');
    await said('taken');
    kill(first);
    await said('stopping');
    kill(second);
    expect(await ended).toBe(code);
  });

  it('ends with 3 once its drain deadline has passed', async () => {
    const { said, kill, ended } = started(at('./worker-child.ts'), '50');
    await said('taken');
    kill('SIGTERM');
    expect(await ended).toBe(3);
  });

  it('of the command line runs a bundle, serves health, and ends with 0 on SIGTERM', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'worker-process-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const bundle = join(folder, 'bundle.yaml');
    await writeFile(
      bundle,
      'name: signals\nbackend: stub\npipelines:\n  - name: signals\n  - name: notifications\nhttp: { port: 0 }\ndrainDeadline: 5s\n',
    );
    const { said, kill, ended, output, address } = started(
      at('../../src/cli/main.ts'),
      'worker',
      '--bundle',
      bundle,
    );
    await said('"msg":"started"');
    const url = address();
    const ready = await fetch(`${url}/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, reasons: [] }]);
    kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(output()).toContain('"msg":"pipeline stopped"');
  });
});
