import { type LiveState, type LivePhase, circuitOpenings, isWarm, signalTotals } from './live-state.ts';
import { notificationOf } from '../../../pipelines/notification-text.ts';
import { circuitsOpenedText, deadLettersText } from './losses-text.ts';
import { compact, lengthOfTime, moment, percent, plural, stopWatch } from './readable.ts';
import { displayWidth, safeText } from './display-width.ts';

/** What the lines are to hold. */
export interface PlainOptions {
  /** Whether a line about progress is due; the caller keeps the time between them. Default false. */
  readonly progress?: boolean;
}

const phaseWords: Readonly<Record<LivePhase, string>> = {
  history: 'reading history',
  live: 'live',
  draining: 'draining: no more is read, what is in flight is finished',
  done: 'done',
  stopped: 'stopped before all was read',
};

function progressLine(state: LiveState): string {
  const { feed, counts, warmUps } = state;
  const cold = warmUps.filter(view => !isWarm(view)).length;
  const finite = state.phase === 'history' && feed.progress !== undefined;
  const openings = circuitOpenings(state);
  const facts = [
    finite ? percent(feed.progress, 1) : undefined,
    `${compact(feed.items)} items`,
    `${compact(feed.perSecond)}/s`,
    finite && feed.timeLeftMs !== undefined ? `${lengthOfTime(feed.timeLeftMs)} left` : undefined,
    `at ${moment(feed.eventTime)} UTC`,
    cold > 0 ? `${plural(cold, 'symbol')} warming up` : undefined,
    counts.deadLetters > 0 ? deadLettersText(counts) : undefined,
    openings > 0 ? circuitsOpenedText(openings) : undefined,
  ];
  return facts.filter(fact => fact !== undefined).join(', ');
}

function newSignals(previous: LiveState | undefined, state: LiveState): string[] {
  const known = new Set(previous?.signals.map(({ id }) => id));
  const fresh = state.signals.filter(({ id }) => !known.has(id)).toReversed();
  const total = (of: LiveState | undefined): number => {
    if (of === undefined) return 0;
    const { entries, exits } = signalTotals(of);
    return entries + exits;
  };
  const unseen = total(state) - total(previous) - fresh.length;
  const skipped = unseen > 0 ? [`${plural(unseen, 'older signal')} not shown`] : [];
  const lines = fresh.flatMap(signal => {
    const { title, reasons } = notificationOf(signal);
    return [`${title} [${signal.id}]`, ...reasons.map(reason => `  - ${reason}`)];
  });
  return [...skipped, ...lines];
}

function newRegime(previous: LiveState | undefined, { regime }: LiveState): string[] {
  if (regime === undefined || previous?.regime?.time === regime.time) return [];
  if (previous?.regime?.label === regime.label) return [];
  return [
    `Regime ${regime.label} since ${moment(regime.time)} UTC, confidence ${percent(regime.confidence)}`,
  ];
}

function problemsOf(state: LiveState | undefined): string[] {
  if (state === undefined) return [];
  const ofPipelines = state.pipelines.flatMap(({ status: { name, problem } }) =>
    problem === undefined ? [] : [`${name}: ${problem}`],
  );
  return [...state.problems, ...ofPipelines];
}

function changes(previous: LiveState | undefined, state: LiveState): string[] {
  const known = new Set(problemsOf(previous));
  const current = new Set(problemsOf(state));
  const wasCold = previous?.warmUps.some(view => !isWarm(view)) === true;
  const allWarm = state.warmUps.length > 0 && state.warmUps.every(isWarm);
  return [
    ...(previous?.phase === state.phase
      ? []
      : [`${state.title}: ${phaseWords[state.phase]}, ${state.feed.name}`]),
    ...[...known].filter(problem => !current.has(problem)).map(problem => `Over: ${problem}`),
    ...[...current].filter(problem => !known.has(problem)).map(problem => `Problem: ${problem}`),
    ...(wasCold && allWarm ? [`All ${plural(state.warmUps.length, 'symbol')} ready`] : []),
  ];
}

/**
 * The view for a log or a pipe: what is new since `previous` (undefined at the start), one thing a line:
 * phases, problems, regimes, signals with their reasons; and progress where it is asked for. Without escape
 * sequences or control characters.
 */
export function renderPlain(
  previous: LiveState | undefined,
  state: LiveState,
  { progress = false }: PlainOptions = {},
): string[] {
  const lines = [...changes(previous, state), ...newRegime(previous, state), ...newSignals(previous, state)];
  if (progress) lines.push(`${stopWatch(state.elapsedMs)} ${progressLine(state)}`);
  return lines.map(safeText).filter(line => displayWidth(line) > 0);
}
