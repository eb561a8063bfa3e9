import type { SchedulerLike } from 'rxjs';
import type { BusHealth } from '../bus/health.ts';
import { reasonOf } from '../core/failure.ts';
import type { PipelineStatus } from '../runtime/pipeline-status.ts';
import { steadyNow } from '../core/steady-clock.ts';

/** Whether a worker does its work, and if not why not. */
export interface ReadinessReport {
  readonly ready: boolean;
  /** Empty when ready. */
  readonly reasons: readonly string[];
  readonly pipelines: readonly PipelineStatus[];
}

export interface ReadinessOptions {
  readonly bus: { health(): Promise<BusHealth> };
  readonly runtime: { status(): Promise<readonly PipelineStatus[]> };
  readonly scheduler: SchedulerLike;
  /** Not ready where the oldest unsettled message of a pipeline has been the same for this long, ms. Default 60 000. */
  readonly stuckAfterMs?: number;
  /** What else may be wrong, in words. */
  readonly problems?: () => readonly string[];
}

/** Judges whether a worker is ready: while it starts and drains, and where something is broken or stuck, it is not. */
export class Readiness {
  readonly #options: ReadinessOptions;
  /** Of each pipeline its oldest unsettled message, and since when it is that. */
  readonly #oldest = new Map<string, { readonly at: string; readonly since: number }>();
  /** Set by the worker as it goes along. */
  phase: 'starting' | 'running' | 'draining' = 'starting';

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  async report(): Promise<ReadinessReport> {
    if (this.phase === 'starting')
      return { ready: false, reasons: ['the worker is starting'], pipelines: [] };
    const { bus, runtime, problems = () => [] } = this.#options;
    const own = this.phase === 'draining' ? ['the worker is draining'] : [];
    try {
      const [pipelines, health] = await Promise.all([runtime.status(), bus.health()]);
      const reasons = [
        ...own,
        ...health.errors.map(error => `bus: ${error}`),
        ...pipelines.flatMap(status => this.#reasons(status)),
        ...problems(),
      ];
      return { ready: reasons.length === 0, reasons, pipelines };
    } catch (error) {
      return { ready: false, reasons: [...own, `bus: ${reasonOf(error)}`], pipelines: [] };
    }
  }

  #reasons({ name, phase, problem, stuckAt }: PipelineStatus): string[] {
    const reasons: string[] = [];
    if (phase !== 'running') reasons.push(`pipeline ${name} is ${phase}${problem ? `: ${problem}` : ''}`);
    else if (problem !== undefined) reasons.push(`pipeline ${name}: ${problem}`);
    const forMs = this.#stuckFor(name, stuckAt);
    if (forMs >= (this.#options.stuckAfterMs ?? 60_000)) {
      reasons.push(`pipeline ${name} is stuck at ${stuckAt ?? ''} for ${Math.round(forMs / 1000)} s`);
    }
    return reasons;
  }

  #stuckFor(pipeline: string, at: string | undefined): number {
    const now = steadyNow(this.#options.scheduler);
    const known = this.#oldest.get(pipeline);
    if (at === undefined) this.#oldest.delete(pipeline);
    else if (known?.at === at) return now - known.since;
    else this.#oldest.set(pipeline, { at, since: now });
    return 0;
  }
}
