import { setTimeout as wait } from 'node:timers/promises';
import { marketPipelines } from '../../pipelines/index.ts';
import { createEventBus } from '../../src/backends.ts';
import { feedTopics, withPositions } from '../../src/cli/create-topics.ts';
import { defaultConfigDir, loadSettings } from '../../src/cli/settings.ts';
import { runFeed } from '../../src/feeds/feed-runner.ts';
import { ensureTopic } from '../../src/runtime/ensure-topic.ts';
import { type Runtime, run } from '../../src/runtime/runtime.ts';
import type { Benchmark, Effort, Measured } from './benchmark.ts';
import { chainMaths } from './chain-maths.ts';
import { barsFor } from './recorded-bars.ts';
import { stopwatch } from './stopwatch.ts';

/** From files to signals in one process, wired as `cryptorun start --once --memory` is. */
async function wholeChain(effort: Effort): Promise<Measured> {
  const { feed, what } = barsFor(effort);
  const settings = loadSettings(defaultConfigDir());
  const bus = createEventBus({ kind: 'stub' });
  await bus.start();
  try {
    for (const spec of withPositions(settings.topics)) await ensureTopic(bus, spec);
    const lap = stopwatch();
    const runtime = await run(marketPipelines(settings.market), bus);
    await runFeed(feed, bus, new AbortController().signal, { topics: feedTopics });
    await untilIdle(runtime);
    const statuses = await runtime.status();
    const signals = statuses.find(({ name }) => name === 'signals')?.published ?? 0;
    const bars = statuses.find(({ name }) => name === 'bars')?.consumed ?? 0;
    const measured = lap(bars);
    const broken = statuses.find(({ problem, deadLettered }) => problem !== undefined || deadLettered > 0);
    if (broken) throw new Error(`${broken.name}: ${broken.problem ?? `${broken.deadLettered} dead letters`}`);
    await runtime.drain(5_000);
    return { ...measured, note: `${bars} bars (${what}), ${signals} signals` };
  } finally {
    await bus.stop();
  }
}

async function untilIdle(runtime: Runtime): Promise<void> {
  for (;;) {
    const statuses = await runtime.status();
    if (statuses.every(({ lag, inFlight }) => lag === 0 && inFlight === 0)) return;
    await wait(5);
  }
}

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'chain, file to signals',
    goal: { perSecond: 35_000, rss: 400 },
    subject: wholeChain,
    twin: { name: 'the maths alone', work: chainMaths },
  },
];
