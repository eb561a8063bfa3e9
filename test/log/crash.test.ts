import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { everything, openedLog, temporaryFolder } from './temporary-log.ts';

const child = fileURLToPath(new URL('./append-child.ts', import.meta.url));

/** Kills a process that appends once it acknowledged as much; returns the last offset it told. */
async function appendUntil(folder: string, acknowledged: number): Promise<number> {
  const running = spawn(process.execPath, [child, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  running.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    if (lastTold(told) >= acknowledged) running.kill('SIGKILL');
  });
  const signal = await new Promise(resolve => running.on('close', (_, by) => resolve(by)));
  expect(signal).toBe('SIGKILL');
  return lastTold(told);
}

/** The last line may be cut short. */
function lastTold(text: string): number {
  return Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1) ?? 0);
}

it('a killed process loses nothing that it had acknowledged', { timeout: 60_000 }, async () => {
  const folder = temporaryFolder();
  let goal = 0;
  for (let round = 0; round < 6; round += 1) {
    goal += 500 + 97 * round;
    const acknowledged = await appendUntil(folder, goal);
    const log = openedLog(folder);
    const records = everything(log);
    goal = log.nextOffset;
    expect(goal).toBeGreaterThanOrEqual(acknowledged);
    expect(records.map(({ offset }) => offset)).toEqual(Array.from({ length: goal }, (_, at) => at));
    for (const { offset, body } of records) {
      const expected = Buffer.alloc(1 + ((offset * 7919) % 900), `${offset},`);
      if (!expected.equals(body)) expect.fail(`record ${offset} differs`);
    }
    expect(log.corruptions).toEqual([]);
    log.close();
  }
});
