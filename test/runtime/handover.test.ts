import { NEVER, VirtualTimeScheduler, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type HandoverHost, handOver } from '../../src/runtime/handover.ts';
import { PipelineProgress } from '../../src/runtime/pipeline-progress.ts';
import { messageOf } from '../../src/testing/message-builder.ts';
import { passTime } from '../passing-time.ts';

const p0 = { topic: 't', partition: 0 };

/** A run in two partitions, whose state is stored when the test says. */
class Run {
  readonly time = new VirtualTimeScheduler();
  readonly progress = new PipelineProgress();
  readonly log: string[] = [];
  waitingForLater = 0;
  /** Up to where state is stored of the first partition. */
  stored = 0;
  /** What ends the snapshots that were asked for. */
  readonly asked: (() => void)[] = [];
  readonly host: HandoverHost;

  constructor() {
    const { progress, log, asked } = this;
    this.host = {
      progress,
      scheduler: this.time,
      snapshots: {
        pause$: of(false),
        stored$: NEVER,
        problem: undefined,
        count: 0,
        start: () => undefined,
        stop: () => undefined,
        settled: () => undefined,
        revoke: () => undefined,
        take: () => undefined,
        limitOf: () => this.stored,
        takeLast: done => {
          log.push('snapshot');
          asked.push(done);
        },
      },
      attempts: {
        write: done => {
          log.push('attempts');
          done?.();
        },
      },
      waiting: {
        unsettled: () => progress.inFlight,
        waitingForLater: () => this.waitingForLater,
      },
    };
    for (const partition of [0, 1]) progress.see(messageOf({ topic: 't', partition, offset: 4 }));
  }

  begin(): void {
    void handOver(this.host, [p0], 1_000).then(() => this.log.push('gone'));
  }

  async pass(ms: number): Promise<void> {
    await passTime(this.time, ms, 10);
  }

  settle(): void {
    this.progress.settled('t', 0, 5, undefined);
  }
}

describe('handing partitions over', () => {
  it('waits for what is in hand of them alone, then stores state and attempts', async () => {
    const run = new Run();
    run.begin();
    await run.pass(200);
    expect(run.log).toEqual([]);
    run.settle();
    await run.pass(20);
    expect(run.log).toEqual(['snapshot']);
    run.stored = 5;
    run.asked[0]?.();
    await run.pass(20);
    expect(run.log).toEqual(['snapshot', 'attempts', 'gone']);
  });

  it('stores state once more where what was being written does not reach so far', async () => {
    const run = new Run();
    run.settle();
    run.begin();
    await run.pass(20);
    run.stored = 3;
    run.asked[0]?.();
    await run.pass(20);
    expect(run.log).toEqual(['snapshot', 'snapshot']);
    run.stored = 5;
    run.asked[1]?.();
    await run.pass(20);
    expect(run.log).toEqual(['snapshot', 'snapshot', 'attempts', 'gone']);
  });

  it('waits no longer than it may, for messages and for state', async () => {
    const unsettled = new Run();
    unsettled.begin();
    await unsettled.pass(1_100);
    expect(unsettled.log).toEqual(['attempts', 'gone']);
    const unstored = new Run();
    unstored.settle();
    unstored.begin();
    await unstored.pass(1_100);
    expect(unstored.log).toEqual(['snapshot', 'attempts', 'gone']);
  });

  it('leaves what waits for later to whoever comes next', async () => {
    const run = new Run();
    run.waitingForLater = 2;
    run.begin();
    await run.pass(200);
    expect(run.log).toEqual([]);
    await run.pass(100);
    expect(run.log).toEqual(['snapshot']);
  });

  it('is over where the partitions are lost meanwhile', async () => {
    const run = new Run();
    run.begin();
    run.progress.revoke(p0);
    await run.pass(20);
    run.asked[0]?.();
    await run.pass(20);
    expect(run.log).toEqual(['snapshot', 'attempts', 'gone']);
  });
});
