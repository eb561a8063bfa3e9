import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startKafka, type KafkaCluster, type KafkaOptions } from '../../brokers/kafka/kafka-cluster.ts';
import { quickFailover } from '../../brokers/kafka/server-properties.ts';
import { adminOf } from './admin.ts';
import { describeOwnKafka } from './kafka-brokers.ts';

async function started(options: KafkaOptions): Promise<KafkaCluster> {
  const kafka = await startKafka(options);
  onTestFinished(() => kafka.stop(), 60_000);
  return kafka;
}

describeOwnKafka('a cluster of its own', () => {
  it('has its topics again after a broker was killed', async () => {
    const { brokers, bootstrap } = await started({ properties: quickFailover });
    const [broker] = brokers;
    const topic = `kept-${randomUUID()}`;
    await (await adminOf(bootstrap)).createTopics({ topics: [{ topic }] });
    const before = broker!.pid;
    await broker!.kill();
    expect(isRunning(before)).toBe(false);
    await broker!.start();
    expect(broker!.pid).not.toBe(before);
    expect(await (await adminOf(bootstrap)).listTopics()).toContain(topic);
  });

  it('of three brokers goes on without one of them', { timeout: 120_000 }, async () => {
    const { brokers, bootstrap } = await started({ brokers: 3, properties: quickFailover });
    const admin = await adminOf(bootstrap);
    const topic = `three-${randomUUID()}`;
    // kafkajs gives up waiting where the broker it asks has not heard of the topic yet.
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 3 }] });
    await brokers[1]!.kill();
    const living = async (): Promise<void> => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const leaders = topics[0]!.partitions.map(({ leader }) => leader);
      expect(new Set(leaders)).toEqual(new Set([1, 3]));
    };
    await vi.waitFor(living, { timeout: 30_000, interval: 100 });
  });

  it('says which port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(startKafka({ port })).rejects.toThrow(`port ${port} of 127.0.0.1 is in use`);
  });

  it('shows the log of a broker that does not start', async () => {
    const starting = startKafka({ properties: { 'num.network.threads': '0' } });
    await expect(starting).rejects.toThrow(/num\.network\.threads/);
  });

  it('ends with the process that started it, and leaves nothing', async () => {
    const child = fileURLToPath(new URL('./own-cluster-child.ts', import.meta.url));
    const running = spawn(process.execPath, [child], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [told] = (await once(running.stdout, 'data')) as [Buffer];
    const { pid, folder } = JSON.parse(told.toString()) as { pid: number; folder: string };
    expect(isRunning(pid)).toBe(true);
    running.kill('SIGKILL');
    await vi.waitFor(() => expect(isRunning(pid) || existsSync(folder)).toBe(false), { timeout: 10_000 });
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
