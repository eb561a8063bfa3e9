import type { Subscription } from 'rxjs';
import { type Signal, isMomentumState, regimeDetection, warmUp } from '../../../pipelines/index.ts';
import type { EventBus } from '../../bus/event-bus.ts';
import { rawCodec } from '../../core/codec.ts';
import { deadLetterTopic } from '../../core/dead-letter.ts';
import type { FeedProgress as RunProgress } from '../../feeds/feed-runner.ts';
import type { PipelineStatus } from '../../runtime/pipeline-status.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { LivePhase, LiveState, PipelineView, WarmUpView } from '../view/live-state.ts';
import { RateMeter } from '../view/rate-meter.ts';
import { BuriedLetters } from './buried-letters.ts';
import { MarketTails } from './market-tails.ts';
import { tail } from './topic-tail.ts';

const reasonsShown = 8;

/** What the view is told of the run that the bus does not know. */
export interface RunFacts {
  readonly title: string;
  readonly feed: string;
  readonly directory: string | undefined;
  readonly explainCommand: string;
}

/** Gathers what the view shows out of a running bus and its pipelines. */
export class Collector {
  readonly #runtime: Runtime;
  readonly #facts: RunFacts;
  readonly #market: MarketTails;
  readonly #letters: Subscription;
  readonly #startedAt = performance.now();
  readonly #rates = new Map<string, RateMeter>();
  readonly #buried = new BuriedLetters();
  #read: RunProgress = { items: 0, malformed: 0, time: undefined, progress: undefined };
  #problems: readonly string[] = [];
  phase: LivePhase = 'history';

  constructor(bus: EventBus, runtime: Runtime, facts: RunFacts) {
    this.#runtime = runtime;
    this.#facts = facts;
    this.#market = new MarketTails(bus);
    const letters = { name: deadLetterTopic, codec: rawCodec, settings: regimeDetection.settings };
    this.#letters = tail(bus, letters, (_, { headers }) => this.#buried.add(headers));
  }

  /** How far the feed has come. */
  feed(progress: RunProgress): void {
    this.#read = progress;
  }

  /** Nothing more is read. @param isThrough whether the feed came to its end */
  ended(isThrough: boolean): void {
    const { progress = 1 } = this.#read;
    this.phase = isThrough || progress >= 1 ? 'done' : 'stopped';
  }

  /** What is wrong beside the pipelines' own problems. */
  problems(texts: readonly string[]): void {
    this.#problems = texts;
  }

  get signals(): readonly Signal[] {
    return this.#market.signals;
  }

  async state(): Promise<LiveState> {
    const statuses = await this.#runtime.status();
    const { items, malformed, time, progress } = this.#read;
    const now = performance.now();
    const elapsedMs = now - this.#startedAt;
    const share = this.#rate('progress', (progress ?? 0) * 1e6, now);
    const meter = this.#runtime.meter;
    return {
      phase: this.phase,
      title: this.#facts.title,
      now: Date.now(),
      elapsedMs,
      feed: {
        name: this.#facts.feed,
        progress,
        items,
        perSecond: this.#rate('feed', items, now).perSecond(),
        timeLeftMs: progress === undefined || this.phase !== 'history' ? undefined : share.timeTo(1e6),
        eventTime: time,
      },
      pipelines: statuses.map(status => this.#viewOf(status, now)),
      warmUps: this.#warmUps(),
      regime: this.#market.regime,
      signals: this.#market.signals,
      tallies: this.#market.tallies,
      counts: {
        malformed,
        deadLetters: this.#buried.count,
        feedDeadLetters: this.#buried.ofFeed,
        late: meter.sum('stream_late_total'),
      },
      deadLetters: this.#buried.reasons.slice(0, reasonsShown),
      problems: [
        ...this.#problems,
        ...statuses.flatMap(({ name, problem }) => (problem ? [`${name}: ${problem}`] : [])),
      ],
      directory: this.#facts.directory,
      explainCommand: this.#facts.explainCommand,
    };
  }

  close(): void {
    this.#market.close();
    this.#letters.unsubscribe();
  }

  #viewOf(status: PipelineStatus, now: number): PipelineView {
    const { name, consumed, published, watermark } = status;
    const { time } = this.#read;
    return {
      status,
      inPerSecond: this.#rate(`${name} in`, consumed, now).perSecond(),
      outPerSecond: this.#rate(`${name} out`, published, now).perSecond(),
      lagMs: watermark === undefined || time === undefined ? undefined : Math.max(0, time - watermark),
    };
  }

  #warmUps(): readonly WarmUpView[] {
    const momentum = this.#runtime.pipelines.find(({ pipeline }) => pipeline.name === 'momentum');
    const states = momentum?.state.live('momentum') ?? [];
    return states.flatMap(({ key, state }) => {
      if (!isMomentumState(state) || state.lastEnd === null) return [];
      const [venue = '', symbol = ''] = key.split(' ');
      return [{ venue, symbol, ...warmUp(state, state.lastEnd) }];
    });
  }

  #rate(name: string, total: number, now: number): RateMeter {
    const meter = this.#rates.get(name) ?? new RateMeter();
    this.#rates.set(name, meter);
    meter.add(now, total);
    return meter;
  }
}
