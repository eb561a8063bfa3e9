import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { type StartedProcess, started } from '../worker/started-process.ts';

interface Worker {
  readonly name: string;
  readonly phase: string;
  readonly pid: number;
  readonly restarts: number;
}

const untilTrue = { timeout: 15_000, interval: 50 };

async function supervising(
  behaviour = '',
): Promise<StartedProcess & { url: string; workers: () => Promise<Worker[]> }> {
  const child = started(fileURLToPath(new URL('./supervisor-child.ts', import.meta.url)), behaviour);
  await child.said('"url"');
  const url = child.address();
  const workers = async (): Promise<Worker[]> => (await (await fetch(`${url}/workers`)).json()) as Worker[];
  await vi.waitFor(async () => expect((await fetch(`${url}/health/ready`)).status).toBe(200), untilTrue);
  return { ...child, url, workers };
}

describe('a supervisor process', () => {
  it('has its workers behind one address, and ends with 0 when they have drained', async () => {
    const { url, workers, kill, ended, output } = await supervising();
    expect((await workers()).map(({ name, phase }) => [name, phase])).toEqual([
      ['fake-1', 'ready'],
      ['fake-2', 'ready'],
    ]);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    for (const name of ['fake-1', 'fake-2']) {
      expect(metrics).toContain(`stream_running{worker="${name}",pipeline="bars"} 1`);
      expect(metrics).toContain(`stream_worker_ready{worker="${name}"} 1`);
    }
    kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(output().match(/drains/g)).toHaveLength(2);
  });

  it('starts a killed worker again, and tells who is not ready meanwhile', async () => {
    const { url, workers, kill, ended } = await supervising();
    const [, second] = await workers();
    process.kill(second!.pid, 'SIGKILL');
    await vi.waitFor(async () => {
      const response = await fetch(`${url}/health/ready`);
      expect([response.status, await response.json()]).toEqual([
        503,
        { ready: false, reasons: ['fake-2 is waiting: it ended by SIGKILL and is started again'] },
      ]);
    }, untilTrue);
    await vi.waitFor(async () => {
      expect((await workers())[1]).toMatchObject({ name: 'fake-2', phase: 'ready', restarts: 1 });
    }, untilTrue);
    kill('SIGINT');
    expect(await ended).toBe(0);
  });

  it('replaces every worker on SIGHUP', async () => {
    const { workers, kill, ended } = await supervising();
    const before = (await workers()).map(({ pid }) => pid);
    kill('SIGHUP');
    await vi.waitFor(async () => {
      const after = await workers();
      expect(after.map(({ phase, restarts }) => [phase, restarts])).toEqual([
        ['ready', 0],
        ['ready', 0],
      ]);
      for (const { pid } of after) expect(before).not.toContain(pid);
    }, untilTrue);
    kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('ends at once, its workers too, with a second signal', async () => {
    const { said, kill, ended } = await supervising('hanging');
    kill('SIGTERM');
    await said('fake-2');
    await said('drains');
    kill('SIGTERM');
    expect(await ended).toBe(143);
  });

  it('is not outlived by its workers when it is killed', async () => {
    const { kill, ended, output } = await supervising();
    kill('SIGKILL');
    expect(await ended).toBe(null);
    expect(output().match(/drains/g)).toHaveLength(2);
  });

  it('ends with 2, and what the worker says, where the input is wrong', async () => {
    const { ended, output } = started(
      fileURLToPath(new URL('./supervisor-child.ts', import.meta.url)),
      'wrong-input',
    );
    expect(await ended).toBe(2);
    expect(output().match(/the input is wrong/g)).toHaveLength(1);
  });
});
