import { EMPTY, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { MemberOffsets } from '../../../../src/bus/kafka/driver.ts';
import { FetchedPartition } from '../../../../src/bus/kafka/consuming/fetched-partition.ts';
import { OffsetCommits } from '../../../../src/bus/kafka/groups/offset-commits.ts';

const tracking = {
  scheduler: new VirtualTimeScheduler(),
  released: (): void => undefined,
  redeliverable: (): void => undefined,
  advanced: (): void => undefined,
};

/** A partition of which so many messages were read, and nothing waits: all of it is settled. */
function settledUpTo(partition: number, offset: number): FetchedPartition {
  const read = new FetchedPartition(tracking, { topic: 't', partition }, 0, Infinity);
  read.take({ topic: 't', partition, records: [], nextOffset: offset, end: offset, undecided: 0 });
  return read;
}

function bench(partitions: readonly FetchedPartition[], limits: readonly number[] = []) {
  const sent: string[][] = [];
  const outcomes: unknown[] = [];
  let fails: Error | undefined;
  /** Settles a commit, where that takes its time. */
  let answer: Promise<unknown> | undefined;
  let held = partitions;
  let member = {
    identity: { group: 'g', memberId: 'a', generation: 1 },
    commit: async ({ offsets }: MemberOffsets) => {
      sent.push(offsets.map(({ partition, offset }) => `${partition}@${offset}`));
      await answer;
      if (fails) throw fails;
    },
  };
  const commits = new OffsetCommits(
    () => member,
    () => held,
    {
      assigned: () => EMPTY,
      revoked: () => undefined,
      commitLimit: ({ partition }) => limits[partition] ?? Infinity,
    },
    error => outcomes.push(error),
  );
  return {
    commits,
    sent,
    outcomes,
    failWith: (error: Error | undefined) => (fails = error),
    answerWith: (when: Promise<unknown>) => {
      answer = when;
    },
    /** The group has begun another generation, in which this member holds these. */
    rebalanced: (holds: readonly FetchedPartition[]) => {
      held = holds;
      member = { ...member, identity: { ...member.identity, generation: member.identity.generation + 1 } };
    },
    /** Gives these up of its own accord. */
    keep: (holds: readonly FetchedPartition[]) => {
      held = holds;
    },
  };
}

/** Has a second commit wait for one that is under way while something happens. */
async function whileOneWaits(
  { commits, sent, answerWith }: ReturnType<typeof bench>,
  partitions: readonly FetchedPartition[],
  happen: () => void,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  answerWith(promise);
  const running = commits.commit();
  await expect.poll(() => sent.length).toBe(1);
  for (const partition of partitions)
    partition.take({
      topic: partition.topic,
      partition: partition.partition,
      records: [],
      nextOffset: 9,
      end: 9,
      undecided: 0,
    });
  const waiting = commits.commit();
  happen();
  resolve(undefined);
  await Promise.all([running, waiting]);
}

describe('OffsetCommits', () => {
  it('commit what has advanced, all in one request, and nothing twice', async () => {
    const [first, second] = [settledUpTo(0, 5), settledUpTo(1, 7)];
    const { commits, sent, outcomes } = bench([first, second]);
    await commits.commit();
    await commits.commit();
    second.take({ topic: 't', partition: 1, records: [], nextOffset: 9, end: 9, undecided: 0 });
    await commits.commit();
    expect(sent).toEqual([['0@5', '1@7'], ['1@9']]);
    expect(outcomes).toEqual([undefined, undefined]);
    expect([first.committed, second.committed]).toEqual([5, 9]);
  });

  it('go no further than a snapshot covers', async () => {
    const { commits, sent } = bench([settledUpTo(0, 5), settledUpTo(1, 7)], [3, 0]);
    await commits.commit();
    expect(sent).toEqual([['0@3']]);
  });

  it('run one at a time, and what was committed meanwhile is not sent again', async () => {
    const partition = settledUpTo(0, 5);
    const { commits, sent } = bench([partition]);
    const both = Promise.all([commits.commit(), commits.commit()]);
    expect(sent).toEqual([]);
    await both;
    expect(sent).toEqual([['0@5']]);
  });

  it('tell of a failure, and try again next time', async () => {
    const partition = settledUpTo(0, 5);
    const { commits, sent, outcomes, failWith } = bench([partition]);
    const away = new Error('away');
    failWith(away);
    await commits.commit();
    expect(partition.committed).toBe(0);
    failWith(undefined);
    await commits.commit();
    expect(sent).toEqual([['0@5'], ['0@5']]);
    expect(outcomes).toEqual([away, undefined]);
  });

  // What goes may come to another, who handles more of it, or less, than was done here.
  it('that wait leave out what has gone in another generation by their turn, and send what has stayed', async () => {
    const [first, second] = [settledUpTo(0, 5), settledUpTo(1, 7)];
    const both = bench([first, second]);
    await whileOneWaits(both, [first, second], () => both.rebalanced([second]));
    expect(both.sent).toEqual([['0@5', '1@7'], ['1@9']]);
  });

  it('that wait send also what is no more held where the generation is the same, as at an end', async () => {
    const partition = settledUpTo(0, 5);
    const one = bench([partition]);
    await whileOneWaits(one, [partition], () => one.keep([]));
    expect(one.sent).toEqual([['0@5'], ['0@9']]);
  });
});
