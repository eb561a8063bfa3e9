import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import { started } from '../../worker/started-process.ts';
import { describeKafka, kafkaBrokers } from './kafka-brokers.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const patiently = { timeout: 25_000, interval: 100 };

async function bundleFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'supervisor-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const bundle = {
    name: 'supervised',
    backend: { kind: 'kafka', brokers: kafkaBrokers().join(), consuming: { sessionTimeout: '6s' } },
    pipelines: [{ name: 'gates' }, { name: 'notifications' }],
    http: { port: 0 },
    drainDeadline: '5s',
  };
  const file = join(folder, 'bundle.yaml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(bundle));
  return file;
}

describeKafka('a supervisor on Kafka', () => {
  it('keeps two workers alive, and ends with 0 when they have drained', async () => {
    const supervisor = started(main, 'supervise', '--bundle', await bundleFile(), '--workers', '2', '--json');
    await supervisor.said('"msg":"supervising"');
    const url = supervisor.address();
    const read = async (path: string): Promise<unknown> => (await fetch(`${url}${path}`)).json();
    const ready = { ready: true, reasons: [] };
    const untilReady = (): Promise<void> =>
      vi.waitFor(async () => expect(await read('/health/ready')).toEqual(ready), patiently);

    await untilReady();
    const before = (await read('/workers')) as { name: string; pid: number }[];
    expect(before.map(({ name }) => name)).toEqual(['supervised-1', 'supervised-2']);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    for (const { name } of before)
      expect(metrics).toContain(`stream_running{worker="${name}",pipeline="gates"} 1`);

    expect(metrics).toMatch(/stream_bus_connected_brokers\{worker="supervised-1"\} [1-9]/);
    expect(metrics).toContain('stream_bus_healthy{worker="supervised-2"} 1');
    expect(metrics).toContain('stream_bus_under_replicated_partitions{worker="supervised-1"} 0');

    const summed = expect.objectContaining({ pipeline: 'gates', workers: 2, lag: 0 }) as unknown;
    await vi.waitFor(async () => expect(await read('/pipelines')).toContainEqual(summed), patiently);

    const killed = before[1]!.pid;
    process.kill(killed, 'SIGKILL');
    await vi.waitFor(async () => expect(await read('/health/ready')).not.toEqual(ready), patiently);
    await untilReady();
    const [first, second] = (await read('/workers')) as { pid: number; restarts: number }[];
    expect(first).toMatchObject({ pid: before[0]?.pid, restarts: 0 });
    expect(second).toMatchObject({ restarts: 1 });
    expect(second?.pid).not.toBe(killed);

    supervisor.kill('SIGTERM');
    expect(await supervisor.ended, supervisor.output()).toBe(0);
    expect(supervisor.output()).not.toContain('the drain deadline passed');
  });
});
