import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as t from 'io-ts';
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

const Workers = t.array(t.type({ name: t.string, phase: t.string, pid: t.number, restarts: t.number }));
const patiently = { timeout: 60_000, interval: 200 };

async function workersOf(supervisor: StartedProcess): Promise<t.TypeOf<typeof Workers>> {
  const url = supervisor.address();
  const found: unknown = await (await fetch(`${url}/workers`)).json();
  if (!Workers.is(found)) throw new Error(`not workers: ${JSON.stringify(found)}`);
  return found;
}

describeOwnKafka('a market under a supervisor', () => {
  // Whoever owns feeds and the pipeline of the whole market dies in one of the two kills, whichever worker that is.
  // Kills: a feed or a regime that dies with its owner; state that a rolled worker takes along.
  it(
    'is the same when each of two workers is killed in turn, and both are rolled',
    { timeout: 240_000 },
    async () => {
      const [market, kafka] = await Promise.all([prepared(), startKafka()]);
      onTestFinished(() => kafka.stop(), 60_000);
      const expected = await onEmbedded(market);
      const whole = symbols.length * minutes;
      expect(expected.count('cryptorun-market-bars')).toBe(whole);
      const backends = join(market.configs, 'stream/backends.yaml');
      await writeFile(
        backends,
        (await readFile(backends, 'utf8')).replace('sessionTimeout: 30s', 'sessionTimeout: 6s'),
      );

      const env = { KAFKA_BROKERS: kafka.bootstrap.join(), CRYPTORUN_BACKEND: 'kafka', CRYPTORUN_PORT: '0' };
      const args = ['--bundle', market.bundle, '--config', market.configs, '--workers', '2', '--json'];
      const supervisor = startedWith(env, main, 'supervise', ...args);
      await supervisor.said('"msg":"supervising"');
      const bus = kafkaBus({ brokers: kafka.bootstrap });
      onTestFinished(() => bus.stop());
      const allReady = (): Promise<void> =>
        vi.waitFor(
          async () =>
            expect((await workersOf(supervisor)).map(({ phase }) => phase)).toEqual(['ready', 'ready']),
          patiently,
        );
      await allReady();
      await bus.start();
      const { heard, until } = listen(bus);

      await until(() => heard.count('cryptorun-market-bars') > whole / 20);
      for (const place of [0, 1]) {
        const worker = (await workersOf(supervisor))[place] ?? expect.fail('no worker');
        process.kill(worker.pid, 'SIGKILL');
        await vi.waitFor(
          async () => expect((await workersOf(supervisor))[place]).toMatchObject({ restarts: 1 }),
          patiently,
        );
        await allReady();
      }
      const before = await workersOf(supervisor);
      supervisor.kill('SIGHUP');
      await vi.waitFor(async () => {
        const after = await workersOf(supervisor);
        expect(after.every(({ pid, phase }, place) => phase === 'ready' && pid !== before[place]?.pid)).toBe(
          true,
        );
      }, patiently);
      await until(() => compared.every(topic => heard.count(topic) >= expected.count(topic)));
      supervisor.kill('SIGTERM');
      expect(await supervisor.ended, supervisor.output()).toBe(0);
      expect(differences(expected.said, heard.said)).toEqual([]);
    },
  );
});
