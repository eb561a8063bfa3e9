import { VirtualTimeScheduler } from 'rxjs';
import { expect, it } from 'vitest';
import { ClusterHealth } from '../../../../src/bus/kafka/cluster/cluster-health.ts';
import { passTime } from '../../../passing-time.ts';

const used = new Set(['t']);
const never = new Promise<never>(() => undefined);

/** Three brokers of which some do not answer, and a cluster that says so itself, or nothing. */
function cluster(silent: readonly number[], describe: () => Promise<void> = () => Promise.resolve()) {
  const time = new VirtualTimeScheduler();
  const counts = { described: 0, reached: 0 };
  const health = new ClusterHealth(
    {
      describeCluster: async () => {
        counts.described++;
        await describe();
        return { nodes: [1, 2, 3], controller: 1 };
      },
      describeTopics: () => Promise.resolve([]),
      reach: node => {
        counts.reached++;
        return silent.includes(node) ? never : Promise.resolve();
      },
    },
    time,
  );
  return { time, counts, health };
}

it('counts brokers that answer, and names those that do not within three seconds', async () => {
  const { time, health } = cluster([2]);
  const asked = health.ask(used);
  await passTime(time, 3_000, 100);
  expect(await asked).toMatchObject({
    brokers: 3,
    connectedBrokers: 2,
    problems: ['broker 2 does not answer here, though the cluster counts them in: see what lies between'],
  });
});

it('says within three seconds that a cluster does not answer, or at once why it cannot be asked', async () => {
  const silent = cluster([], () => never);
  const asked = silent.health.ask(used);
  await passTime(silent.time, 3_000, 100);
  expect(await asked).toEqual({
    connectedBrokers: 0,
    problems: [
      'the cluster cannot be asked: no answer within 3000 ms: see whether the brokers run and can be reached',
    ],
  });
  const refusing = cluster([], () => Promise.reject(new Error('no')));
  expect((await refusing.health.ask(used)).problems).toEqual(['the cluster cannot be asked: no']);
});

// Kills: a probe each half second, of which each asks every broker, while one that is silent holds each up for three.
it('asks once for all who ask meanwhile, and anew for whoever comes later', async () => {
  const { time, counts, health } = cluster([2]);
  const asked = Array.from({ length: 5 }, () => health.ask(used));
  await passTime(time, 3_000, 100);
  const figures = await Promise.all(asked);
  expect(new Set(figures).size).toBe(1);
  expect(counts).toEqual({ described: 1, reached: 3 });
  void health.ask(used);
  await passTime(time, 3_000, 100);
  expect(counts).toEqual({ described: 2, reached: 6 });
});
