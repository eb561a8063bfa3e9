import { describe, expect, it } from 'vitest';
import { marketPipelines, marketTopics } from '../../pipelines/index.ts';
import { createEventBus } from '../../src/backends.ts';
import { defaultTopicSettings } from '../../src/core/topic.ts';
import { feedTopics, withPositions } from '../../src/cli/create-topics.ts';
import { runFeed } from '../../src/feeds/feed-runner.ts';
import { simulatorFeed } from '../../src/feeds/simulator.ts';
import { ensureTopic } from '../../src/runtime/ensure-topic.ts';
import { run } from '../../src/runtime/runtime.ts';
import { untilIdle } from '../../src/cli/until-idle.ts';

// Kills: quiet only when nothing is in flight (Snapshots never commit while a join waits behind a full partition).
describe('the chain on partitions that hold a few minutes', () => {
  it('does not stand still where a join waits for data behind a full partition', async () => {
    const bus = createEventBus({ kind: 'stub', maxPartitionBytes: 96 * 1024 });
    await bus.start();
    const dlq = { name: feedTopics.deadLetters, settings: defaultTopicSettings };
    for (const spec of withPositions([...marketTopics, dlq])) await ensureTopic(bus, spec);
    const runtime = await run(marketPipelines(), bus, { snapshotIntervalMs: 1_000 });
    const never = new AbortController().signal;
    const ended = await runFeed(simulatorFeed({ days: 1.3 }), bus, never, { topics: feedTopics });
    await untilIdle(runtime, never);
    const statuses = await runtime.status();
    runtime.stop();
    await bus.stop();
    expect(ended).toBe(true);
    expect(statuses.map(({ name, lag }) => ({ name, lag }))).toEqual(
      marketPipelines().map(({ name }) => ({ name, lag: 0 })),
    );
  }, 60_000);
});
