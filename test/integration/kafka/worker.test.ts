import { expect, it, onTestFinished, vi } from 'vitest';
import { kafkaBus } from '../../../src/bus/kafka/kafka.ts';
import { startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { type StartedProcess, startedWith } from '../../worker/started-process.ts';
import {
  compared,
  differences,
  listen,
  main,
  minutes,
  onEmbedded,
  prepared,
  symbols,
} from './compared-market.ts';
import { describeOwnKafka } from './kafka-brokers.ts';

async function readiness(worker: StartedProcess): Promise<{ status: number; body: unknown }> {
  const url = worker.address();
  const response = await fetch(`${url}/health/ready`);
  return { status: response.status, body: await response.json() };
}

describeOwnKafka('a worker process on Kafka', () => {
  const about = 'is ready, drains, goes on where it was, and writes what the embedded bus writes';
  it(about, { timeout: 240_000 }, async () => {
    const [market, kafka] = await Promise.all([prepared(), startKafka()]);
    onTestFinished(() => kafka.stop(), 60_000);
    const expected = await onEmbedded(market);
    expect(expected.count('cryptorun-market-bars')).toBe(symbols.length * minutes);

    const env = {
      KAFKA_BROKERS: kafka.bootstrap.join(),
      CRYPTORUN_BACKEND: 'kafka',
      CRYPTORUN_PORT: '0',
    };
    const work = (): StartedProcess =>
      startedWith(env, main, 'worker', '--bundle', market.bundle, '--config', market.configs);

    const first = work();
    await first.said('"msg":"started"');
    const ready = { status: 200, body: { ready: true, reasons: [] } };
    await vi.waitFor(async () => expect(await readiness(first)).toEqual(ready), { timeout: 30_000 });
    const bus = kafkaBus({ brokers: kafka.bootstrap });
    onTestFinished(() => bus.stop());
    await bus.start();
    const { heard, until } = listen(bus);
    await until(() => heard.count('cryptorun-market-bars') > 500);
    first.kill('SIGTERM');
    expect(await first.ended, first.output()).toBe(0);
    const before = heard.count('cryptorun-market-bars');
    expect(before).toBeLessThan(expected.count('cryptorun-market-bars'));

    const second = work();
    await until(() => compared.every(topic => heard.count(topic) >= expected.count(topic)));
    second.kill('SIGTERM');
    expect(await second.ended, second.output()).toBe(0);
    expect(differences(expected.said, heard.said)).toEqual([]);
  });
});
