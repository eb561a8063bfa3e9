import { dirname, join } from 'node:path';
import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import { pino } from 'pino';
import { shippedPipelines } from '../../../pipelines/index.ts';
import { type BackendConfig, loadBackends, shippedBackends } from '../../config/backends.ts';
import { type BundleConfig, bundleConfig } from '../../config/bundle.ts';
import type { ConfigProblem } from '../../config/config-problem.ts';
import { checkBundle } from '../../config/cross-checks.ts';
import { loadLocated } from '../../config/load-config.ts';
import { runFeed } from '../../feeds/feed-runner.ts';
import type { Pipeline } from '../../runtime/pipeline.ts';
import { listenForShutdown } from '../../worker/shutdown.ts';
import type { RunningWorker } from '../../worker/worker-options.ts';
import { runWorker } from '../../worker/worker.ts';
import { busOf, startReachable } from '../backend-bus.ts';
import { CliError } from '../cli-error.ts';
import { type Command, textOption } from '../command.ts';
import { serveQueries } from '../control-server.ts';
import { feedTopics, withPositions } from '../create-topics.ts';
import { feedFromSpecs } from '../feeds.ts';
import { sinksOf } from '../sinks.ts';
import { configError, defaultConfigDir, loadSettings } from '../settings.ts';

/** What releasing everything may take after the drain, ms. */
const releaseMs = 10_000;

export const workerCommand: Command = {
  name: 'worker',
  summary: 'Runs the pipelines that a bundle names, with health and metrics over HTTP',
  options: {
    bundle: { type: 'string', value: 'FILE', help: 'the bundle, as configs/bundles/main.yaml' },
    config: { type: 'string', value: 'DIR', help: 'configuration folder (default: the one of the package)' },
  },
  run: async ({ options }) => {
    const file = textOption(options, 'bundle');
    if (file === undefined)
      throw new CliError(2, 'Name a bundle: cryptorun worker --bundle configs/bundles/main.yaml');
    const configDir = textOption(options, 'config') ?? defaultConfigDir();
    const { bundle, backend } = loadBundleWith(file, configDir);
    const settings = loadSettings(configDir);
    const feeds = bundle.feeds.length === 0 ? [] : [feedFromSpecs(bundle.feeds)];
    const sinks = sinksOf(bundle.sinks);
    const shutdown = listenForShutdown(process, { deadlineMs: bundle.drainDeadline + releaseMs });
    const bus = busOf(backend);
    let stopServing = (): Promise<void> => Promise.resolve();
    try {
      if (backend.kind === 'kafka') await startReachable(bus);
      return await runWorker({
        name: bundle.name,
        bus,
        pipelines: [...chosen(shippedPipelines(settings.market), bundle), ...sinks.pipelines],
        topics: withPositions(settings.topics),
        feeds: feeds.map(feed => ({
          name: feed.name,
          run: signal => runFeed(feed, bus, signal, { topics: feedTopics }),
          ownedBy: feedTopics.positions,
        })),
        http: bundle.http,
        drainDeadlineMs: bundle.drainDeadline,
        snapshotIntervalMs: bundle.snapshotInterval,
        logger: pino({ level: bundle.logLevel }, pino.destination({ dest: 2, sync: true })),
        signal: shutdown.signal,
        started: async (worker: RunningWorker) => {
          if (backend.kind === 'embedded') stopServing = serveQueries(worker, backend.dir);
          await worker.audit.record('config-loaded', file, { config: configDir });
        },
        release: [() => stopServing(), ...sinks.release],
      });
    } finally {
      await bus.stop();
      shutdown.remove();
    }
  },
};

interface Loaded {
  readonly bundle: BundleConfig;
  readonly backend: BackendConfig;
}

/** The bundle and the backend that it names; what is wrong in either is told at once. */
function loadBundleWith(file: string, configDir: string): Loaded {
  const located = orThrow(loadLocated(file, bundleConfig(shippedBackends), process.env));
  const backends = orThrow(
    loadBackends(join(configDir, 'stream/backends.yaml'), shippedBackends, process.env),
  );
  const problems = checkBundle(located, {
    pipelines: shippedPipelines().map(({ name }) => name),
    backends: Object.keys(backends.backends),
  });
  if (problems.length > 0) throw configError(problems);
  const bundle = located.value;
  const backend = typeof bundle.backend === 'string' ? backends.backends[bundle.backend] : bundle.backend;
  if (backend === undefined) throw new CliError(2, `${file}: the backend is not in ${dirname(configDir)}`);
  return { bundle, backend };
}

function orThrow<A>(result: Either<readonly ConfigProblem[], A>): A {
  if (isLeft(result)) throw configError(result.left);
  return result.right;
}

/** The bundle's pipelines, in the order of the data, each with its own settings. */
function chosen(all: readonly Pipeline[], { pipelines }: BundleConfig): readonly Pipeline[] {
  return all.flatMap(pipeline => {
    const own = pipelines.find(({ name }) => name === pipeline.name);
    if (own === undefined) return [];
    const { failurePolicy, commitInterval, ...limits } = own;
    const options = {
      ...pipeline.options,
      ...limits,
      ...(commitInterval !== undefined && { commitIntervalMs: commitInterval }),
      ...(failurePolicy !== undefined && { onFailure: failurePolicy }),
    };
    return [{ ...pipeline, options }];
  });
}
