import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { projectFolder } from '../readme/code-blocks.ts';
import { startedWith } from '../worker/started-process.ts';

const main = join(projectFolder, 'src/cli/main.ts');
const patiently = { timeout: 25_000, interval: 50 };

const bundle = `name: small
backend: {kind: stub}
http: {port: 0}
pipelines:
  - name: bars
  - name: retries
`;

describe('cryptorun supervise', () => {
  // Kills: a screen, or colours, in what a pipe or a journal gets; a death that only a screen tells of.
  it('without a terminal says in plain lines how its worker does, and what became of it where it dies', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'supervise-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'small.yaml');
    await writeFile(file, bundle);
    const supervisor = startedWith({}, main, 'supervise', '--bundle', file, '--workers', '1');
    await supervisor.said('worker process started');
    const [, pid] = /"process":(\d+),"msg":"worker process started"/.exec(supervisor.output()) ?? [];
    process.kill(Number(pid ?? expect.fail('no process id')), 'SIGKILL');
    await expect.poll(supervisor.output, patiently).toMatch(/^small-1 ready \(1 restarts?\)$/m);
    supervisor.kill('SIGINT');
    expect(await supervisor.ended).toBe(0);
    const output = supervisor.output();
    for (const row of [/^ {2}bars {5}in 0\/s {2}out 0\/s .* on 1$/m, /^ {2}retries {2}in 0\/s .* on 1$/m])
      expect(output).toMatch(row);
    expect(output).toMatch(/"worker":"small-1","code":null,"signal":"SIGKILL",.*"worker process died"/);
    expect(output).not.toContain('\u001B');
  }, 60_000);
});
