import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { nodePorts } from '../../brokers/kafka/node-ports.ts';
import { startedWith } from '../../worker/started-process.ts';
import { adminOf } from './admin.ts';
import { describeOwnKafka } from './kafka-brokers.ts';

const script = fileURLToPath(new URL('../../brokers/kafka/main.ts', import.meta.url));

/** The commands of Java that run on a folder. */
async function brokersIn(folder: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'args='], { maxBuffer: 16 * 1024 ** 2 });
  return stdout.split('\n').filter(command => command.startsWith('java ') && command.includes(folder));
}

describeOwnKafka('npm run broker:kafka', () => {
  it('tells how to connect, ends on SIGTERM, and keeps its data where it is told to', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kept-kafka-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [{ client: port } = { client: 0 }] = await nodePorts(1);
    const running = spawn(process.execPath, [script, '--port', String(port), '--dir', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void running.kill());
    const ended = once(running, 'exit');
    for await (const line of createInterface(running.stdout)) {
      if (line.trim() === `KAFKA_BROKERS=127.0.0.1:${port}`) break;
    }
    const topic = `kept-${randomUUID()}`;
    await (await adminOf([`127.0.0.1:${port}`])).createTopics({ topics: [{ topic }] });
    running.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);

    const again = await startKafka({ folder });
    onTestFinished(() => again.stop());
    expect(await (await adminOf(again.bootstrap)).listTopics()).toContain(topic);
  });

  // Kills: three brokers of one node each; a broker, or the folder of all, that outlives them; Ctrl-C taken for a failure.
  it('has three brokers that are one cluster until Ctrl-C, and leaves nothing of them', async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'three-brokers-'));
    onTestFinished(() => rm(temporary, { recursive: true, force: true }));
    const addresses = (await nodePorts(3)).map(({ client }) => `127.0.0.1:${client}`);
    const [first = ''] = addresses;
    const args = ['--brokers', '3', '--port', first.slice(first.indexOf(':') + 1)];
    const running = startedWith({ TMPDIR: temporary }, script, ...args);
    await running.said('Ctrl-C stops');
    expect(running.output()).toContain(`\n  KAFKA_BROKERS=${addresses.join()}\n`);
    const [folder = expect.fail('no folder')] = await readdir(temporary);
    expect(await brokersIn(folder)).toHaveLength(3);
    for (const address of addresses) {
      const admin = await adminOf([address]);
      const known = async (): Promise<readonly string[]> =>
        (await admin.describeCluster()).brokers.map(({ host, port }) => `${host}:${port}`).toSorted();
      // One may not have heard yet that another has started.
      await expect.poll(known, { timeout: 10_000 }).toEqual(addresses);
    }
    running.kill('SIGINT');
    expect(await running.ended, running.output()).toBe(0);
    // At once: what clears up after a script that was killed would do so a moment later.
    expect(await readdir(temporary)).toEqual([]);
    expect(await brokersIn(folder)).toEqual([]);
  });

  it('names the option that it does not understand', async () => {
    const running = spawn(process.execPath, [script, '--brokers', 'two'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [said] = (await once(running.stderr.setEncoding('utf8'), 'data')) as [string];
    expect(said).toContain('--brokers two');
    expect(await once(running, 'exit')).toEqual([1, null]);
  });
});
