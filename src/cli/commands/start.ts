import { setTimeout as wait } from 'node:timers/promises';
import { marketPipelines, marketTopics } from '../../../pipelines/index.ts';
import { createEventBus } from '../../backends.ts';
import type { EventBus } from '../../bus/event-bus.ts';
import type { Feed } from '../../feeds/feed.ts';
import { type FeedProgress, runFeed } from '../../feeds/feed-runner.ts';
import { type Runtime, run } from '../../runtime/runtime.ts';
import { type CommandInput, type Command, textOption } from '../command.ts';
import { createTopics, feedTopics } from '../create-topics.ts';
import { feedOf } from '../feeds.ts';
import { dataFolder } from '../data-folder.ts';
import { Collector } from '../live/collector.ts';
import { type Style, presenter } from '../live/presenter.ts';
import { Recorder } from '../record/recorder.ts';
import { defaultConfigDir, loadSettings } from '../settings.ts';
import { listenForShutdown } from '../../worker/shutdown.ts';
import type { Terminal } from '../terminal.ts';

const idleDeadlineMs = 60_000;
const drainDeadlineMs = 5_000;

export const startCommand: Command = {
  name: 'start',
  summary: 'Runs the whole chain on market data and shows what it does',
  options: {
    once: { type: 'boolean', help: 'end after the history instead of going on live' },
    feed: {
      type: 'string',
      multiple: true,
      value: 'SPEC',
      help: 'file:PATH, ws:VENUE or ccxt:VENUE instead of the simulator; file: may be repeated',
    },
    seed: { type: 'string', value: 'N', help: 'seed of the simulated market (default 42)' },
    from: {
      type: 'string',
      value: 'TIME',
      help: 'where the simulated history begins (default 2026-01-05T00:00Z)',
    },
    days: { type: 'string', value: 'N', help: 'length of the simulated history (default 10)' },
    symbols: { type: 'string', value: 'N', help: 'symbols in the simulated market (default 12)' },
    dir: { type: 'string', value: 'PATH', help: 'keep the data there, and go on from what is there' },
    memory: { type: 'boolean', help: 'keep everything in memory; leaves no trace' },
    record: { type: 'string', value: 'DIR', help: 'write every topic as JSON lines, a file a topic' },
    config: {
      type: 'string',
      value: 'DIR',
      help: 'configuration folder (default: the one that comes with it)',
    },
    plain: {
      type: 'boolean',
      help: 'lines instead of a screen that redraws (default where there is no terminal)',
    },
    json: { type: 'boolean', help: 'one JSON object a line' },
  },
  run: start,
};

async function start({ options, terminal }: CommandInput): Promise<number> {
  const settings = loadSettings(textOption(options, 'config') ?? defaultConfigDir());
  const feed = await feedOf(options);
  const folder = options['memory'] === true ? undefined : dataFolder(textOption(options, 'dir'));
  const bus = createEventBus(folder === undefined ? { kind: 'stub' } : { kind: 'embedded', dir: folder });
  await bus.start();
  try {
    await createTopics(bus, settings.topics);
    const barsFrom = feed.contents.prices === 'none' ? 'trades' : 'prices';
    const runtime = await run(marketPipelines({ ...settings.market, barsFrom }), bus);
    const record = textOption(options, 'record');
    const recorder = record === undefined ? undefined : new Recorder(bus, marketTopics, record);
    const collector = new Collector(bus, runtime, {
      title: `${feed.name} on the ${bus.kind} bus`,
      feed: feed.name,
      directory: folder,
      explainCommand: explainCommandFor(folder),
    });
    const session = { bus, feed, runtime, collector, recorder, terminal, style: styleOf(options, terminal) };
    return await follow(session, options['once'] === true);
  } finally {
    await bus.stop();
  }
}

interface Session {
  readonly bus: EventBus;
  readonly feed: Feed;
  readonly runtime: Runtime;
  readonly collector: Collector;
  readonly recorder: Recorder | undefined;
  readonly terminal: Terminal;
  readonly style: Style;
}

/** Feeds the bus and shows it until the feed ends or the user does. */
async function follow(
  { bus, feed, runtime, collector, recorder, terminal, style }: Session,
  once: boolean,
): Promise<number> {
  const shutdown = listenForShutdown(process);
  const shown = presenter(style, terminal);
  const view = repeat(shown.everyMs, async () => {
    collector.problems(recorder?.problems ?? []);
    shown.show(await collector.state());
  });
  try {
    const onProgress = (progress: FeedProgress): void => {
      collector.feed(progress);
      const finished = progress.progress === undefined || progress.progress >= 1;
      if (collector.phase === 'history' && finished && !once) collector.phase = 'live';
    };
    const ended = await runFeed(feed, bus, shutdown.signal, { topics: feedTopics, onProgress });
    collector.phase = 'draining';
    if (ended) await untilIdle(runtime, shutdown.signal);
    await runtime.drain(drainDeadlineMs);
    collector.phase = 'done';
  } finally {
    await view.stop();
    runtime.stop();
    recorder?.close();
    shown.close(await collector.state());
    collector.close();
    shutdown.remove();
  }
  return 0;
}

/** Waits until everything that was fed has gone through every pipeline. */
async function untilIdle(runtime: Runtime, signal: AbortSignal): Promise<void> {
  const until = performance.now() + idleDeadlineMs;
  while (!signal.aborted && performance.now() < until) {
    const statuses = await runtime.status();
    if (statuses.every(({ lag, inFlight }) => lag === 0 && inFlight === 0)) return;
    await wait(20);
  }
}

/** Does something again and again, one after the other, until it is stopped. */
function repeat(everyMs: number, work: () => Promise<void>): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await work();
      await wait(everyMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const running = loop();
  return {
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}

function styleOf(options: CommandInput['options'], { isInteractive }: Terminal): Style {
  if (options['json'] === true) return 'json';
  return options['plain'] === true || !isInteractive ? 'plain' : 'screen';
}

function explainCommandFor(folder: string | undefined): string {
  const dir = folder === undefined || folder === '.cryptorun' ? '' : ` --dir ${folder}`;
  const command = process.env['npm_lifecycle_event'] === undefined ? 'cryptorun' : 'npx cryptorun';
  return `${command} explain${dir}`;
}
