import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { type RedriveRequest, RedriveStatus } from '../../../src/cli/dlq/redrive-answers.ts';
import { RedriveJobs } from '../../../src/cli/dlq/redrive-jobs.ts';
import { deadLetterTopic } from '../../../src/core/dead-letter.ts';
import { auditTopic } from '../../../src/worker/report-topics.ts';
import { busWith, letterOf, publish, storedIn } from '../../dlq/letters.ts';

const request: RedriveRequest = {
  topic: deadLetterTopic,
  selection: {},
  dryRun: false,
  again: false,
  isRelease: false,
  by: 'alice',
};

async function busWithLetters(count: number): Promise<EventBus> {
  const bus = await busWith('prices', deadLetterTopic);
  await publish(
    bus,
    Array.from({ length: count }, (_, n) => letterOf({ n, key: `k${n}` })),
  );
  return bus;
}

/** Asks as a command does. */
function asking(bus: EventBus, jobs: RedriveJobs): (name: string, text: string) => Promise<RedriveStatus> {
  return async (name, text) => {
    const decoded = RedriveStatus.decode(await jobs.queries[name]!(bus, [text], undefined));
    if (!isRight(decoded)) throw new Error('the answer is no status');
    return decoded.right;
  };
}

describe('redrives of a process', () => {
  it('run while others ask how far they are', async () => {
    const bus = await busWithLetters(3);
    const jobs = new RedriveJobs(bus);
    const ask = asking(bus, jobs);
    const { job } = await ask('redrive-start', JSON.stringify(request));
    await jobs.stop();
    expect((await ask('redrive-status', job)).report).toMatchObject({ job });
    expect(storedIn(bus, auditTopic.name).map(({ key }) => key)).toEqual(['alice', 'alice']);
  });

  it('are joined by who asks for the same, and refuse another meanwhile', async () => {
    const bus = await busWithLetters(500);
    const jobs = new RedriveJobs(bus);
    const ask = asking(bus, jobs);
    const slow = JSON.stringify({ ...request, ratePerSecond: 1 });
    const first = await ask('redrive-start', slow);
    expect(await ask('redrive-start', slow)).toMatchObject({ job: first.job, joined: true });
    const other = JSON.stringify({ ...request, selection: { key: 'k7' } });
    await expect(ask('redrive-start', other)).rejects.toThrow(`another redrive is running (${first.job})`);
    await ask('redrive-stop', first.job);
    await jobs.stop();
    expect((await ask('redrive-status', first.job)).report).toMatchObject({ outcome: 'stopped' });

    const { job } = await ask('redrive-start', other);
    await jobs.stop();
    expect(job).not.toBe(first.job);
  });

  it('tell what went wrong, and know no others', async () => {
    const bus = await busWithLetters(1);
    const jobs = new RedriveJobs(bus);
    const ask = asking(bus, jobs);
    const { job } = await ask('redrive-start', JSON.stringify({ ...request, limit: 0 }));
    await jobs.stop();
    expect((await ask('redrive-status', job)).problem).toContain('redrive.limit is 0');
    await expect(ask('redrive-status', 'redrive-none')).rejects.toThrow('there is no redrive redrive-none');
    await expect(ask('redrive-start', '{"topic":7}')).rejects.toThrow('the question is no RedriveRequest');
    await expect(ask('redrive-start', 'nonsense')).rejects.toThrow('the question is no RedriveRequest');
    const nowhere = JSON.stringify({ ...request, topic: 'nowhere' });
    await expect(ask('redrive-start', nowhere)).rejects.toThrow('there is no topic nowhere here');
  });

  it('forget the oldest of those that have ended', async () => {
    const bus = await busWithLetters(1);
    const jobs = new RedriveJobs(bus);
    const ask = asking(bus, jobs);
    const names: string[] = [];
    for (let n = 0; n < 20; n++) {
      const { job } = await ask('redrive-start', JSON.stringify({ ...request, selection: { key: `k${n}` } }));
      names.push(job);
      await jobs.stop();
    }
    await expect(ask('redrive-status', names[0]!)).rejects.toThrow('there is no redrive');
    expect((await ask('redrive-status', names.at(-1)!)).job).toBe(names.at(-1));
  });
});
