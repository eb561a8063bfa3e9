import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { nodePorts } from '../../brokers/kafka/node-ports.ts';
import { adminOf } from './admin.ts';
import { describeOwnKafka } from './kafka-brokers.ts';

const script = fileURLToPath(new URL('../../brokers/kafka/main.ts', import.meta.url));

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

  it('names the option that it does not understand', async () => {
    const running = spawn(process.execPath, [script, '--brokers', 'two'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [said] = (await once(running.stderr.setEncoding('utf8'), 'data')) as [string];
    expect(said).toContain('--brokers two');
    expect(await once(running, 'exit')).toEqual([1, null]);
  });
});
