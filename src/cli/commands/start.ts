import { marketPipelines } from '../../../pipelines/index.ts';
import { createEventBus } from '../../backends.ts';
import { FaultInjector } from '../../bus/embedded/faults.ts';
import { type Feed, FeedError } from '../../feeds/feed.ts';
import { type FeedProgress, runFeed } from '../../feeds/feed-runner.ts';
import { listenForShutdown } from '../../worker/shutdown.ts';
import type { RunningWorker } from '../../worker/worker-options.ts';
import { runWorker } from '../../worker/worker.ts';
import type { Pipeline } from '../../runtime/pipeline.ts';
import { failing } from '../chaos/failing-pipeline.ts';
import { disturb } from '../chaos/faulty-bus.ts';
import { poisoned } from '../chaos/poisoned-feed.ts';
import { CliError } from '../cli-error.ts';
import { type Command, type CommandInput, type Options, textOption } from '../command.ts';
import { serveQueries } from '../control-server.ts';
import { feedTopics, withPositions } from '../create-topics.ts';
import { dataFolder, defaultFolder } from '../data-folder.ts';
import { feedOf } from '../feeds.ts';
import { Collector } from '../live/collector.ts';
import { LiveView } from '../live/live-view.ts';
import { invocationOf } from '../invocation.ts';
import { type Style, presenter } from '../live/presenter.ts';
import { type ProblemsLogger, problemsLogger } from '../live/problems-logger.ts';
import { recordedTopics } from '../record/recorded-topics.ts';
import { Recorder } from '../record/recorder.ts';
import { defaultConfigDir, loadSettings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';
import { untilIdle } from '../until-idle.ts';

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
      help: 'begin of the simulated history (default 2026-01-05T00:00Z)',
    },
    days: { type: 'string', value: 'N', help: 'length of the simulated history (default 10)' },
    symbols: { type: 'string', value: 'N', help: 'symbols in the simulated market (default 12)' },
    dir: { type: 'string', value: 'PATH', help: 'keep the data there, and go on from what is there' },
    memory: { type: 'boolean', help: 'keep everything in memory; leaves no trace' },
    chaos: {
      type: 'string',
      value: 'SEED',
      help: 'failing handlers, poison messages, a slow sink and a bus that comes and goes; the signals stay the same',
    },
    record: {
      type: 'string',
      value: 'DIR',
      help: 'write every topic, changelogs included, as JSON lines, a file a topic',
    },
    config: { type: 'string', value: 'DIR', help: 'configuration folder (default: the one of the package)' },
    plain: { type: 'boolean', help: 'lines instead of a redrawn screen (default without a terminal)' },
    json: { type: 'boolean', help: 'one JSON object a line' },
  },
  run: start,
};

async function start({ options, terminal }: CommandInput): Promise<number> {
  const configDir = textOption(options, 'config') ?? defaultConfigDir();
  const settings = loadSettings(configDir);
  const chaos = textOption(options, 'chaos');
  const logger = problemsLogger();
  const asked = feedOf(options, logger);
  const feed = chaos === undefined ? asked : poisoned(asked);
  const folder = options['memory'] === true ? undefined : dataFolder(textOption(options, 'dir'));
  const faults = new FaultInjector();
  const bus = createEventBus(
    folder === undefined ? { kind: 'stub', faults } : { kind: 'embedded', dir: folder, faults },
  );
  const shutdown = listenForShutdown(process, { deadlineMs: 3 * drainDeadlineMs });
  const ended = new AbortController();
  const topics = withPositions(settings.topics);
  const pipelines = marketPipelines({
    ...settings.market,
    barsFrom: feed.contents.prices === 'none' ? 'trades' : 'prices',
  });
  const session = new Session({ logger, feed, folder, options, terminal });
  try {
    const code = await runWorker({
      name: 'start',
      bus,
      pipelines: chaos === undefined ? pipelines : pipelines.map(each => failing(each, chaos, isSink(each))),
      topics,
      feeds: [{ name: feed.name, run: signal => session.feed(signal, () => ended.abort()) }],
      signal: AbortSignal.any([shutdown.signal, ended.signal]),
      drainDeadlineMs,
      logger,
      started: async worker => {
        await session.started(worker);
        await worker.audit.record('config-loaded', configDir);
        if (chaos !== undefined)
          void disturb(faults, chaos, AbortSignal.any([shutdown.signal, ended.signal]));
      },
      release: [() => session.close()],
    });
    if (session.failure) throw session.failure;
    if (session.unrecorded.length > 0) throw new CliError(1, session.unrecorded.join('\n'));
    // Before there is a view, what went wrong would be seen nowhere.
    if (code !== 0 && !session.isShown) throw new CliError(2, logger.problems().join('\n'));
    return code;
  } finally {
    shutdown.remove();
  }
}

/** What a run is about. */
interface Run {
  readonly logger: ProblemsLogger;
  readonly feed: Feed;
  readonly folder: string | undefined;
  readonly options: Options;
  readonly terminal: Terminal;
}

/** One run as the user sees it. */
class Session {
  readonly #logger: ProblemsLogger;
  readonly #feed: Feed;
  readonly #folder: string | undefined;
  readonly #options: Options;
  readonly #terminal: Terminal;
  readonly #ready = Promise.withResolvers<{
    readonly worker: RunningWorker;
    readonly collector: Collector;
  }>();
  #close: () => Promise<void> = () => Promise.resolve();
  /** Why the feed could not go on. */
  failure: FeedError | undefined;
  /** What a recording lacks at its end, in words. */
  unrecorded: readonly string[] = [];
  isShown = false;
  /** Whether the feed came to its end. */
  #isThrough = false;

  constructor({ logger, feed, folder, options, terminal }: Run) {
    this.#logger = logger;
    this.#feed = feed;
    this.#folder = folder;
    this.#options = options;
    this.#terminal = terminal;
  }

  async started(worker: RunningWorker): Promise<void> {
    this.isShown = true;
    const { bus, runtime } = worker;
    const folder = this.#folder;
    const record = textOption(this.#options, 'record');
    const recorder =
      record === undefined ? undefined : new Recorder(bus, recordedTopics(await bus.listTopics()), record);
    const collector = new Collector(bus, runtime, {
      title: `${this.#feed.name} on the ${bus.kind} bus${this.#options['chaos'] === undefined ? '' : ', with chaos'}`,
      feed: this.#feed.name,
      directory: folder,
      explainCommand: explainCommandFor(folder),
    });
    const stopServing = folder === undefined ? () => Promise.resolve() : serveQueries(worker, folder);
    const problems = (): readonly string[] => [...this.#logger.problems(), ...(recorder?.problems ?? [])];
    const view = new LiveView(
      collector,
      presenter(styleOf(this.#options, this.#terminal), this.#terminal),
      problems,
    );
    this.#close = async () => {
      await stopServing();
      await recorder?.close();
      this.unrecorded = recorder?.problems ?? [];
      collector.ended(this.#isThrough);
      await view.close();
      collector.close();
    };
    this.#ready.resolve({ worker, collector });
  }

  /** Feeds the bus; with `--once`, or where the feed has an end, `ended` follows when all of it is through. */
  async feed(signal: AbortSignal, ended: () => void): Promise<void> {
    const { worker, collector } = await this.#ready.promise;
    const once = this.#options['once'] === true;
    const onProgress = (progress: FeedProgress): void => {
      collector.feed(progress);
      const isHistory = progress.progress !== undefined && progress.progress < 1;
      collector.phase = isHistory || once ? 'history' : 'live';
    };
    try {
      const { bus, runtime } = worker;
      const { meter } = runtime;
      const finished = await runFeed(this.#feed, bus, signal, { topics: feedTopics, onProgress, meter });
      collector.phase = 'draining';
      this.#isThrough = finished;
      if (!finished) return;
      await untilIdle(worker.runtime, signal);
    } catch (error) {
      // Whoever watches should be told at once; a worker without a watcher tries again.
      if (!(error instanceof FeedError)) throw error;
      this.failure = error;
    }
    ended();
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/** Chaos makes it slow: what it writes goes to people. */
function isSink({ name }: Pipeline): boolean {
  return name === 'notifications';
}

function styleOf(options: Options, { isInteractive }: Terminal): Style {
  if (options['json'] === true) return 'json';
  return options['plain'] === true || !isInteractive ? 'plain' : 'screen';
}

/** How the user asks why, from where this was started. */
function explainCommandFor(folder: string | undefined): string {
  const dir = folder === undefined || folder === defaultFolder ? '' : ` --dir ${folder}`;
  return invocationOf(`explain${dir}`);
}
