import { type SchedulerLike, asyncScheduler } from 'rxjs';
import type { EventBus, SourceOptions } from '../bus/event-bus.ts';
import { Backoff } from '../core/backoff.ts';
import { type DeadLetter, deadLetterTopic, readDeadLetter } from '../core/dead-letter.ts';
import { type Ok, settlement } from '../core/delivery.ts';
import { reasonOf } from '../core/failure.ts';
import type { Bytes, OutgoingMessage } from '../core/message.ts';
import { finiteNumber, wholeNumber } from '../core/option.ts';
import { batchesOf } from './delivery-batches.ts';
import { type LetterSelection, isSelected } from './letter-selection.ts';
import { pause } from './pause.ts';
import { originName } from './quarantined-origins.ts';
import type { JobPlace } from './redrive-job.ts';
import { type Skipped, isSame, payloadHash, redriveIdOf, redriveOf } from './redrive-message.ts';
import type { RedriveOptions, RedriveRecord } from './redrive-options.ts';
import { type RedriveReport, RedriveTally } from './redrive-tally.ts';
import { startOffsets } from './scan-letters.ts';
import { transformed } from './transformed.ts';
import { type SendOutcome, sendPatiently } from './send-patiently.ts';
import { steadyNow } from '../core/steady-clock.ts';

/** Letters sent at once at most. */
const chunkLength = 64;
/** With a rate, a chunk is what may be sent in this time, ms. */
const paceMs = 100;
/** How often a job's position is made durable: what is lost of it is sent a second time. */
const commitIntervalMs = 200;
/** The bus is being stopped: what it refuses now is no fault of the letter. */
const stopping: ReadonlySet<string> = new Set(['bus-not-started', 'consumer-closed']);

/** What a run is made of. */
export interface RedrivePlan {
  readonly bus: EventBus;
  readonly selection: LetterSelection;
  readonly options: RedriveOptions;
  readonly job: string;
  readonly place: JobPlace;
  /** The origins of messages that are in quarantine. */
  readonly quarantined: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** A letter that is about to be sent. */
interface Prepared {
  readonly kind: 'send';
  readonly delivery: Ok<Bytes>;
  readonly letter: DeadLetter;
  readonly outgoing: OutgoingMessage;
  readonly isEdited: boolean;
}

type Verdict =
  | Prepared
  | { readonly kind: 'skip'; readonly why: Skipped }
  | { readonly kind: 'fail'; readonly reason: string };

/** One run of a redrive. */
export class RedriveRun {
  readonly #plan: RedrivePlan;
  readonly #tally: RedriveTally;
  readonly #scheduler: SchedulerLike;
  readonly #backoff: Backoff;
  readonly #rate: number;
  readonly #limit: number;
  /** Ends the run from within. */
  readonly #ending = new AbortController();
  readonly #signal: AbortSignal;
  #chunk: Prepared[] = [];
  #keys = new Set<string | null>();
  /** When the next chunk may be sent, ms. */
  #dueAt = -Infinity;

  constructor(plan: RedrivePlan) {
    const { options, job, place, signal } = plan;
    this.#plan = plan;
    this.#scheduler = options.scheduler ?? asyncScheduler;
    this.#backoff = new Backoff('redrive', options.backoff);
    this.#rate = finiteNumber('redrive.ratePerSecond', options.ratePerSecond ?? Number.MAX_VALUE, 0.001);
    this.#limit = wholeNumber('redrive.limit', options.limit ?? Number.MAX_SAFE_INTEGER, 1);
    this.#tally = new RedriveTally(job, place.before, place.total);
    this.#signal = AbortSignal.any([signal, this.#ending.signal]);
  }

  async run(): Promise<RedriveReport> {
    const { bus, selection, options, job } = this.#plan;
    const { topic = deadLetterTopic, transform, onProgress } = options;
    const edit = transform && (options.transformId ?? 'a function');
    await this.#record({
      kind: 'started',
      job,
      topic,
      selection: JSON.stringify(selection),
      transform: edit,
    });
    onProgress?.(this.#tally.progress);
    try {
      for await (const batch of batchesOf(bus.source(topic, this.#sourceOptions(topic)), this.#signal)) {
        for (const delivery of batch) await this.#take(delivery);
        await this.#flush();
        onProgress?.(this.#tally.progress);
      }
    } catch (error) {
      await this.#record({ kind: 'ended', job, outcome: reasonOf(error), progress: this.#tally.progress });
      throw error;
    }
    const outcome = this.#outcome();
    const { progress, groups } = this.#tally;
    await this.#record({ kind: 'ended', job, outcome, progress });
    return { ...progress, outcome, groups: groups.groups };
  }

  #outcome(): RedriveReport['outcome'] {
    if (this.#tally.left <= 0) return 'done';
    return this.#tally.sent >= this.#limit ? 'limit' : 'stopped';
  }

  #sourceOptions(topic: string): SourceOptions {
    const { options, job, place } = this.#plan;
    const bounds = { untilEnd: true, maxInFlight: 4 * chunkLength };
    if (options.dryRun === true)
      return {
        ...bounds,
        from: { offsets: startOffsets(topic, place.committed) },
      };
    return { ...bounds, group: job, commitIntervalMs };
  }

  /** Looks at one message: it is passed over, or joins the chunk that is sent next. */
  async #take(delivery: Ok<Bytes>): Promise<void> {
    if (this.#hasEnded()) return;
    const letter = readDeadLetter(delivery.message);
    if (letter === undefined || !isSelected(letter, this.#plan.selection)) {
      this.#pass(delivery);
      return;
    }
    // Two of one key are not sent at once, for the first may be refused and the second stored.
    if (this.#chunk.length >= this.#room || this.#keys.has(letter.key)) await this.#flush();
    if (this.#hasEnded()) return;
    const verdict = await this.#judge(delivery, letter);
    // Ended while a transform had it: it is as if it had not been looked at.
    if (this.#hasEnded()) return;
    if (verdict.kind === 'send') {
      this.#chunk.push(verdict);
      if (letter.key !== null) this.#keys.add(letter.key);
      return;
    }
    this.#tally.matched++;
    if (verdict.kind === 'skip') this.#tally.skip(verdict.why);
    else this.#tally.fail(letter.id, verdict.reason);
    this.#pass(delivery);
  }

  /** Asked anew: it may have changed while something was awaited. */
  #hasEnded(): boolean {
    return this.#signal.aborted;
  }

  get #room(): number {
    const paced = Math.max(1, Math.floor((this.#rate * paceMs) / 1000));
    return Math.max(1, Math.min(chunkLength, paced, this.#limit - this.#tally.sent));
  }

  #pass(delivery: Ok<Bytes>): void {
    this.#tally.looked++;
    delivery[settlement].ack();
  }

  async #judge(delivery: Ok<Bytes>, letter: DeadLetter): Promise<Verdict> {
    if (!letter.wasStored) return { kind: 'skip', why: 'never a message' };
    if (this.#plan.quarantined.has(originName(letter))) return { kind: 'skip', why: 'in quarantine' };
    if (letter.pipeline === '') return { kind: 'fail', reason: 'it does not tell which pipeline failed' };
    try {
      const { transform } = this.#plan.options;
      const payload = transform === undefined ? letter.payload : await transformed(letter, transform);
      if (payload === undefined) return { kind: 'skip', why: 'edited away' };
      const isEdited = !isSame(payload, letter.payload);
      return { kind: 'send', delivery, letter, outgoing: redriveOf(letter, payload), isEdited };
    } catch (error) {
      return { kind: 'fail', reason: `the transform failed: ${reasonOf(error)}` };
    }
  }

  async #flush(): Promise<void> {
    const chunk = this.#chunk;
    this.#chunk = [];
    this.#keys = new Set();
    if (chunk.length === 0) return;
    await this.#pace(chunk.length);
    if (this.#signal.aborted) return;
    const outcomes = await this.#send(chunk);
    chunk.forEach((prepared, i) => this.#settle(prepared, outcomes[i] ?? 'not sent'));
    this.#plan.options.onProgress?.(this.#tally.progress);
    if (this.#tally.sent >= this.#limit) this.#ending.abort();
  }

  async #pace(count: number): Promise<void> {
    const now = steadyNow(this.#scheduler);
    this.#dueAt = Math.max(this.#dueAt, now);
    const waitMs = this.#dueAt - now;
    this.#dueAt += (count * 1000) / this.#rate;
    if (this.#plan.options.dryRun !== true) await pause(waitMs, this.#scheduler, this.#signal);
  }

  async #send(chunk: readonly Prepared[]): Promise<readonly SendOutcome[]> {
    const { bus, options, signal } = this.#plan;
    if (options.dryRun === true) return chunk.map(() => 'stored');
    for (const prepared of chunk) await this.#recordEdit(prepared);
    const send = { backoff: this.#backoff, scheduler: this.#scheduler, signal };
    return sendPatiently(
      bus,
      chunk.map(({ outgoing }) => outgoing),
      send,
    );
  }

  /** Only what is stored, or will never be, is gone past. */
  #settle({ delivery, letter, isEdited }: Prepared, outcome: SendOutcome): void {
    if (outcome === 'not sent' || (outcome !== 'stored' && stopping.has(outcome.code))) {
      this.#ending.abort();
      return;
    }
    this.#tally.matched++;
    if (outcome === 'stored') this.#tally.stored(letter, isEdited);
    else this.#tally.fail(letter.id, outcome.message);
    this.#pass(delivery);
  }

  async #recordEdit({ letter, outgoing, isEdited }: Prepared): Promise<void> {
    if (!isEdited) return;
    await this.#record({
      kind: 'edited',
      job: this.#plan.job,
      letter: letter.id,
      redrive: redriveIdOf(letter, outgoing.payload),
      oldPayload: payloadHash(letter.payload),
      newPayload: payloadHash(outgoing.payload),
    });
  }

  async #record(record: RedriveRecord): Promise<void> {
    const { audit, dryRun } = this.#plan.options;
    if (dryRun !== true) await audit?.(record);
  }
}
