import type { LiveState, PipelineView } from './live-state.ts';

/** A number that JSON has; else null. */
function known(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}

function pipelineJson({ status, inPerSecond, outPerSecond, lagMs }: PipelineView): unknown {
  const { watermark, eventTime, problem, stuckAt, keys, circuits, ...counts } = status;
  return {
    ...counts,
    watermark: known(watermark),
    eventTime: known(eventTime),
    problem: problem ?? null,
    stuckAt: stuckAt ?? null,
    keys: Object.fromEntries(keys),
    circuits: Object.fromEntries(circuits),
    inPerSecond: known(inPerSecond),
    outPerSecond: known(outPerSecond),
    lagMs: known(lagMs),
  };
}

/**
 * The state as one JSON object in one line. Keys are stable; times are ms since the epoch, lengths ms, shares
 * 0 to 1, and null stands for what is not known:
 *
 * - `type`: `state`; `version`: 1, raised when a key changes its meaning
 * - `phase`, `title`, `now`, `elapsedMs`, `directory`, `problems`: as in {@link LiveState}
 * - `feed`: `name, progress, items, perSecond, timeLeftMs, eventTime`
 * - `pipelines`: one object each, with the fields of {@link PipelineView} and of its status side by side
 * - `warmUps`, `tallies`, `counts`, `deadLetters`: as in {@link LiveState}
 * - `regime`: the topic's value or null; `signals`: the topic's values, newest first
 */
export function renderJson(state: LiveState): string {
  const { feed } = state;
  return JSON.stringify({
    type: 'state',
    version: 1,
    phase: state.phase,
    title: state.title,
    now: state.now,
    elapsedMs: state.elapsedMs,
    feed: {
      name: feed.name,
      progress: known(feed.progress),
      items: feed.items,
      perSecond: known(feed.perSecond),
      timeLeftMs: known(feed.timeLeftMs),
      eventTime: known(feed.eventTime),
    },
    pipelines: state.pipelines.map(pipelineJson),
    warmUps: state.warmUps,
    regime: state.regime ?? null,
    signals: state.signals,
    tallies: state.tallies,
    counts: state.counts,
    deadLetters: state.deadLetters,
    problems: state.problems,
    directory: state.directory ?? null,
  });
}
