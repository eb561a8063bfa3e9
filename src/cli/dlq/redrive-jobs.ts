import { asyncScheduler } from 'rxjs';
import type { EventBus } from '../../bus/event-bus.ts';
import { inTime } from '../../core/in-time.ts';
import { reasonOf } from '../../core/failure.ts';
import { redrive } from '../../dlq/redrive.ts';
import { redriveJob } from '../../dlq/redrive-job.ts';
import type { RedriveProgress, RedriveReport } from '../../dlq/redrive-tally.ts';
import { ensureTopic } from '../../runtime/ensure-topic.ts';
import { auditTopic } from '../../worker/report-topics.ts';
import { auditLog } from '../../worker/reporters.ts';
import { CliError } from '../cli-error.ts';
import type { Query } from '../query.ts';
import { jsonArgument } from '../wrong-input.ts';
import { type EditAnswer, type EditModule, EditReply } from './edit-answers.ts';
import { EditDesk } from './edit-desk.ts';
import { auditedAs } from './redrive-audit.ts';
import { requireTopic } from './require-topic.ts';
import { RedriveRequest } from './redrive-answers.ts';

interface Job {
  readonly name: string;
  readonly stop: AbortController;
  /** Where its letters are edited, by who asked for it. */
  readonly desk: EditDesk | undefined;
  progress: RedriveProgress | undefined;
  report: RedriveReport | undefined;
  problem: string | undefined;
  ended: Promise<void>;
}

/** Ended jobs that can still be asked for. */
const maxEnded = 16;
/** How long one may take to end, ms. */
const stopWithinMs = 2_000;
/** Groups told at the end. */
const maxGroups = 1_000;

/**
 * Redrives that run in this process, whoever asks for them: a command starts one, asks how far it is, and may stop
 * it. A command that goes away leaves its job running, and the same command later joins it; one that edits letters stops
 * its job with it.
 */
export class RedriveJobs {
  readonly queries: Readonly<Record<string, Query>> = {
    'redrive-start': (_, [request]) => this.#start(jsonArgument(RedriveRequest, request)),
    'redrive-edit': (_, [job = '', reply]) =>
      this.#edit(job, reply === undefined ? undefined : jsonArgument(EditReply, reply)),
    'redrive-status': (_, [job = '']) => {
      this.#named(job).desk?.heard();
      return Promise.resolve(statusOf(this.#named(job)));
    },
    'redrive-stop': (_, [job = '']) => {
      this.#named(job).stop.abort();
      return Promise.resolve(statusOf(this.#named(job)));
    },
  };
  readonly #bus: EventBus;
  readonly #jobs = new Map<string, Job>();

  constructor(bus: EventBus) {
    this.#bus = bus;
  }

  /** Ends all of them in good order; what waits for room in a topic ends with the bus. */
  async stop(): Promise<void> {
    for (const { stop } of this.#jobs.values()) stop.abort();
    const ended = Promise.all([...this.#jobs.values()].map(job => job.ended));
    await inTime(ended, stopWithinMs, asyncScheduler, () => undefined);
  }

  async #start(request: RedriveRequest): Promise<object> {
    const { topic, selection, dryRun } = request;
    const stop = new AbortController();
    const edit = editOf(request, stop);
    const name = `${redriveJob(selection, { topic, ...edit })}${dryRun ? '-dry-run' : ''}`;
    const running = [...this.#jobs.values()].find(isRunning);
    if (running?.name === name && running.desk) {
      throw new CliError(
        2,
        `the same redrive is running (${name}), with its letters edited by another command: wait for its end; it ends half a minute after that command has gone`,
      );
    }
    if (running?.name === name) return { ...statusOf(running), joined: true };
    if (running) {
      throw new CliError(
        2,
        `another redrive is running (${running.name}): wait for its end, or stop it there`,
      );
    }
    await requireTopic(this.#bus, topic);
    if (!dryRun) await ensureTopic(this.#bus, auditTopic);
    return statusOf(this.#run(name, request, stop, edit));
  }

  async #edit(name: string, reply: EditReply | undefined): Promise<EditAnswer> {
    return (await this.#named(name).desk?.next(reply)) ?? { isOver: true };
  }

  #run(name: string, request: RedriveRequest, stop: AbortController, edit: Edit | undefined): Job {
    const { topic, selection, isRelease, by, dryRun, again, ratePerSecond, limit } = request;
    const audit = auditLog({ name: by, bus: this.#bus, scheduler: asyncScheduler, failed: rethrow });
    const action = isRelease ? 'quarantine-released' : 'dead-letters-replayed';
    const job: Job = {
      name,
      stop,
      desk: edit?.desk,
      progress: undefined,
      report: undefined,
      problem: undefined,
      ended: Promise.resolve(),
    };
    job.ended = redrive(this.#bus, selection, {
      topic,
      dryRun,
      again,
      signal: stop.signal,
      ...(ratePerSecond !== undefined && { ratePerSecond }),
      ...(limit !== undefined && { limit }),
      ...edit,
      onProgress: progress => (job.progress = progress),
      audit: record => audit.record(action, ...auditedAs(record)),
    })
      .then(
        report => void (job.report = { ...report, groups: report.groups.slice(0, maxGroups) }),
        (error: unknown) => void (job.problem = reasonOf(error)),
      )
      .finally(() => edit?.desk.close());
    this.#jobs.delete(name);
    this.#jobs.set(name, job);
    for (const old of [...this.#jobs.keys()].slice(0, -maxEnded)) this.#jobs.delete(old);
    return job;
  }

  #named(name: string): Job {
    const job = this.#jobs.get(name);
    if (job) return job;
    throw new CliError(2, `there is no redrive ${name} in this process: start it again, and it goes on`);
  }
}

/** How a redrive edits letters: by whoever asked for it, through a desk. */
interface Edit extends EditModule {
  readonly desk: EditDesk;
}

function editOf({ transformId }: RedriveRequest, stop: AbortController): Edit | undefined {
  if (transformId === undefined) return undefined;
  const desk = new EditDesk(asyncScheduler, () => stop.abort());
  stop.signal.addEventListener('abort', () => desk.close());
  return { desk, transformId, transform: desk.transform };
}

function isRunning({ report, problem }: Job): boolean {
  return report === undefined && problem === undefined;
}

/** As `RedriveStatus`. */
function statusOf({ name, progress, report, problem }: Job): object {
  return {
    job: name,
    ...(progress && { progress }),
    ...(report && { report }),
    ...(problem !== undefined && { problem }),
  };
}

function rethrow(error: unknown): never {
  throw error;
}
