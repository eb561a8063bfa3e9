import { asyncScheduler } from 'rxjs';
import { reasonOf } from '../core/failure.ts';
import type { Series } from '../runtime/series.ts';
import { startHttpServer } from '../worker/http-server.ts';
import type { Logger } from '../worker/logger.ts';
import { prometheusPage } from '../worker/prometheus.ts';
import { every } from '../runtime/ticker.ts';
import { type PipelineTotal, PipelineTotals, type WorkerPage } from './pipeline-totals.ts';
import { metricsOf, probeHttp } from './probe.ts';
import { mergePages } from './prometheus-text.ts';
import { Supervisor } from './supervisor.ts';
import type { WorkerProcess } from './worker-process.ts';
import { runningFeeds } from './running-feeds.ts';
import type { WorkerReport, WorkerStatus } from './worker-status.ts';

export interface SupervisorRun {
  readonly name: string;
  readonly workers: number;
  readonly launch: (name: string) => WorkerProcess;
  /** How long a worker may take to end after SIGTERM before it is killed, ms. */
  readonly stopDeadlineMs: number;
  readonly http: { readonly host: string; readonly port: number };
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Told once the supervisor can be asked things, and where it serves health and metrics. */
  readonly started: (supervisor: Supervisor, url: string) => void;
  /** Told every so often how the workers and their pipelines do. */
  readonly show: (workers: readonly WorkerReport[], pipelines: readonly PipelineTotal[]) => void;
  readonly showIntervalMs: number;
}

/**
 * Keeps workers alive until the signal aborts, and speaks for all of them at one address.
 *
 * @returns the exit code
 * @throws ListenError where the address cannot be had
 */
export async function runSupervisor(run: SupervisorRun): Promise<number> {
  const { name, logger } = run;
  const supervisor = new Supervisor({ ...run, probe: probeHttp, scheduler: asyncScheduler });
  const own = prometheusPage(() => Promise.resolve(seriesOf(supervisor.statuses)), { processMetrics: false });
  let pipelines: readonly PipelineTotal[] = [];
  let feeds: ReadonlyMap<string, readonly string[]> = new Map();
  const reports = (): readonly WorkerReport[] =>
    supervisor.statuses.map(status => ({ ...status, feeds: feeds.get(status.name) ?? [] }));
  const http = await startHttpServer({
    ...run.http,
    ready: () => Promise.resolve(readinessOf(supervisor.statuses)),
    metrics: {
      contentType: own.contentType,
      text: async () => `${await own.text()}${mergePages(await pagesOf(supervisor.statuses))}`,
    },
    pages: { '/workers': reports, '/pipelines': () => pipelines },
    failed: (path, error) => logger.error({ path, reason: reasonOf(error) }, 'request failed'),
  });
  logger.info({ supervisor: name, url: http.url, workers: run.workers }, 'supervising');
  const totals = new PipelineTotals();
  const look = async (): Promise<void> => {
    const pages = await pagesOf(supervisor.statuses);
    pipelines = totals.next(pages, asyncScheduler.now());
    feeds = new Map(pages.map(({ worker, text }) => [worker, runningFeeds(text)]));
    run.show(reports(), pipelines);
  };
  const looking = every(run.showIntervalMs, asyncScheduler, look, error =>
    logger.error({ reason: reasonOf(error) }, 'workers not shown'),
  );
  try {
    run.started(supervisor, http.url);
    return await supervisor.run();
  } finally {
    await looking.stop();
    await http.stop();
    logger.info({ supervisor: name }, 'stopped');
  }
}

/** Ready when all are. */
function readinessOf(statuses: readonly WorkerStatus[]): { ready: boolean; reasons: string[] } {
  const reasons = statuses
    .filter(({ phase }) => phase !== 'ready')
    .map(({ name, phase, reasons }) => `${name} is ${phase}: ${reasons.join('; ')}`);
  return { ready: reasons.length === 0, reasons };
}

async function pagesOf(statuses: readonly WorkerStatus[]): Promise<WorkerPage[]> {
  const pages = statuses.map(async ({ name: worker, pid, url }): Promise<WorkerPage> => {
    return { worker, pid, text: url === undefined ? '' : await metricsOf(url) };
  });
  return Promise.all(pages);
}

function seriesOf(statuses: readonly WorkerStatus[]): Series[] {
  return statuses.flatMap(({ name: worker, phase, restarts }): Series[] => [
    { name: 'stream_worker_ready', tags: { worker }, kind: 'gauge', value: phase === 'ready' ? 1 : 0 },
    { name: 'stream_worker_restarts_total', tags: { worker }, kind: 'counter', value: restarts },
  ]);
}
