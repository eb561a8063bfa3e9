import { pino } from 'pino';
import { shippedPipelines } from '../../../pipelines/index.ts';
import type { BundleConfig } from '../../config/bundle.ts';
import { runFeed } from '../../feeds/feed-runner.ts';
import type { Pipeline } from '../../runtime/pipeline.ts';
import { SeriesMeter } from '../../runtime/series.ts';
import { listenForShutdown } from '../../worker/shutdown.ts';
import type { RunningWorker } from '../../worker/worker-options.ts';
import { runWorker } from '../../worker/worker.ts';
import { busOf, startReachable } from '../backend-bus.ts';
import { loadBundleWith } from '../bundle-file.ts';
import { CliError } from '../cli-error.ts';
import { type Command, textOption } from '../command.ts';
import { serveQueries } from '../control-server.ts';
import { feedTopics, withPositions } from '../create-topics.ts';
import { feedFromSpecs } from '../feeds.ts';
import { releaseMs } from '../release-time.ts';
import { sinksOf } from '../sinks.ts';
import { defaultConfigDir } from '../settings.ts';

export const workerCommand: Command = {
  name: 'worker',
  summary: 'Runs the pipelines that a bundle names, with health and metrics over HTTP',
  options: {
    bundle: { type: 'string', value: 'FILE', help: 'the bundle, as configs/bundles/main.yaml' },
    config: { type: 'string', value: 'DIR', help: 'configuration folder (default: the one of the package)' },
    name: {
      type: 'string',
      value: 'NAME',
      help: "names it in reports and logs (default: the bundle's name)",
    },
    http: {
      type: 'string',
      value: 'HOST:PORT',
      help: "where to serve health and metrics instead of the bundle's",
    },
  },
  run: async ({ options }) => {
    const file = textOption(options, 'bundle');
    if (file === undefined)
      throw new CliError(2, 'Name a bundle: cryptorun worker --bundle configs/bundles/main.yaml');
    const configDir = textOption(options, 'config') ?? defaultConfigDir();
    const { bundle, backend, settings } = loadBundleWith(file, configDir);
    const logger = pino({ level: bundle.logLevel }, pino.destination({ dest: 2, sync: true }));
    const feeds = bundle.feeds.length === 0 ? [] : [feedFromSpecs(bundle.feeds, logger)];
    const sinks = sinksOf(bundle.sinks);
    const shutdown = listenForShutdown(process, { deadlineMs: bundle.drainDeadline + releaseMs });
    const bus = busOf(backend);
    const meter = new SeriesMeter();
    let stopServing = (): Promise<void> => Promise.resolve();
    try {
      if (backend.kind === 'kafka') await startReachable(bus);
      return await runWorker({
        name: textOption(options, 'name') ?? bundle.name,
        bus,
        meter,
        pipelines: [...chosen(shippedPipelines(settings.market), bundle), ...sinks.pipelines],
        topics: withPositions(settings.topics),
        feeds: feeds.map(feed => ({
          name: feed.name,
          run: signal => runFeed(feed, bus, signal, { topics: feedTopics, meter }),
          ownedBy: feedTopics.positions,
        })),
        http: httpAddress(textOption(options, 'http')) ?? bundle.http,
        drainDeadlineMs: bundle.drainDeadline,
        snapshotIntervalMs: bundle.snapshotInterval,
        logger,
        signal: shutdown.signal,
        serving: ({ url }) => tellSupervisor(url),
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

function httpAddress(text: string | undefined): BundleConfig['http'] | undefined {
  if (text === undefined) return undefined;
  const [, host, port] = /^(.+):(\d+)$/.exec(text) ?? [];
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new CliError(
    2,
    `--http is "${text}", write for example 127.0.0.1:9091, or 127.0.0.1:0 for a free port`,
  );
}

/** A process that started us with a channel learns where we serve; if it is gone meanwhile, nobody need know. */
function tellSupervisor(url: string): void {
  process.send?.({ serving: url }, undefined, undefined, () => undefined);
}

/** The bundle's pipelines, in the order of the data, each with its own settings. */
function chosen(all: readonly Pipeline[], { pipelines }: BundleConfig): readonly Pipeline[] {
  return all.flatMap(pipeline => {
    const own = pipelines.find(({ name }) => name === pipeline.name);
    if (own === undefined) return [];
    const { failurePolicy, commitInterval, transactionTimeout, stalledAfter, ...limits } = own;
    const options = {
      ...pipeline.options,
      ...limits,
      ...(commitInterval !== undefined && { commitIntervalMs: commitInterval }),
      ...(transactionTimeout !== undefined && { transactionTimeoutMs: transactionTimeout }),
      ...(stalledAfter !== undefined && { stalledAfterMs: stalledAfter }),
      ...(failurePolicy !== undefined && { onFailure: failurePolicy }),
    };
    return [{ ...pipeline, options }];
  });
}
