import { bar } from './bar.ts';
import { type Block, fixedBlock } from './block.ts';
import { circuitsOpenedText, deadLettersText } from './losses-text.ts';
import { type Line, joinFitting, span, spread } from './line.ts';
import { type LivePhase, type LiveState, circuitOpenings } from './live-state.ts';
import { compact, lengthOfTime, moment, percent, stopWatch } from './readable.ts';

const phases: Readonly<Record<LivePhase, Line>> = {
  history: [span('▶ history', 'accent')],
  live: [span('● live', 'good')],
  draining: [span('◐ draining', 'warn')],
  done: [span('✔ done', 'good')],
  stopped: [span('■ stopped', 'warn')],
};

function titleLine(state: LiveState, width: number): Line {
  const name: Line = [span('CryptoRun Streams', 'strong')];
  const left = joinFitting([name, phases[state.phase], [span(state.title, 'dim')]], width);
  return spread(left, [span('running ', 'dim'), span(stopWatch(state.elapsedMs))], width);
}

function rateOf({ feed }: LiveState): Line {
  return [span(compact(feed.perSecond), 'strong'), span(' items/s', 'dim')];
}

function itemsOf({ feed }: LiveState): Line {
  return [span(compact(feed.items)), span(' items', 'dim')];
}

function finiteLine(state: LiveState, share: number, width: number): Line {
  const { feed, phase } = state;
  const left: Line = [span(lengthOfTime(feed.timeLeftMs)), span(' left', 'dim')];
  const facts: Line[] = [
    [span(percent(share, 1), 'strong')],
    ...(phase === 'history' ? [rateOf(state), left] : []),
    itemsOf(state),
    [span('at ', 'dim'), span(`${moment(feed.eventTime)} UTC`)],
  ];
  const barWidth = Math.max(10, Math.min(48, Math.floor(width * 0.3)));
  return joinFitting([bar(share, barWidth), ...facts], width);
}

/** Event times further from now than this are not of now. */
const ownClockMs = 24 * 3_600_000;

function endlessLine(state: LiveState, width: number): Line {
  const { feed, now } = state;
  const behind = feed.eventTime === undefined ? undefined : now - feed.eventTime;
  // A simulated market has a clock of its own: how far it is from ours says nothing.
  const ownClock = behind !== undefined && Math.abs(behind) > ownClockMs;
  const facts: Line[] = [
    [span(`${moment(ownClock ? feed.eventTime : now)} UTC`, 'strong')],
    ownClock
      ? [span("the feed's own clock", 'dim')]
      : [span('feed '), span(lengthOfTime(behind)), span(' behind', 'dim')],
    rateOf(state),
    itemsOf(state),
  ];
  return joinFitting(facts, width);
}

function tallied(count: number, what: string, ink: 'warn' | 'bad'): Line {
  return [span(what, count > 0 ? ink : 'dim')];
}

function countsLine({ counts, feed, pipelines }: LiveState, width: number): Line {
  const openings = circuitOpenings({ pipelines });
  return joinFitting(
    [
      [span(feed.name, 'dim')],
      tallied(counts.deadLetters, deadLettersText(counts), 'bad'),
      tallied(counts.malformed, `${compact(counts.malformed)} malformed`, 'warn'),
      tallied(counts.late, `${compact(counts.late)} late`, 'warn'),
      ...(openings > 0 ? [tallied(openings, circuitsOpenedText(openings), 'warn')] : []),
    ],
    width,
  );
}

/** What runs, how far it is and how fast, and what went wrong so far. */
export function headerBlock(state: LiveState, width: number): Block {
  const share = state.phase === 'live' ? undefined : state.feed.progress;
  const progress = share === undefined ? endlessLine(state, width) : finiteLine(state, share, width);
  return fixedBlock([titleLine(state, width), progress, countsLine(state, width)], 2);
}
