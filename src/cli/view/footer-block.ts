import { type Block, fixedBlock } from './block.ts';
import { type Line, clipLine, joinFitting, span } from './line.ts';
import { type LiveState, isOver } from './live-state.ts';
import { plural, shortId } from './readable.ts';

function hints(state: LiveState): Line[] {
  const { phase, explainCommand, signals, directory } = state;
  const newest = signals[0];
  const id = newest === undefined ? 'ID' : shortId(newest.id);
  const stop: Line =
    phase === 'draining'
      ? [span('finishing what is in flight', 'warn')]
      : [span('Ctrl-C', 'accent'), span(' stops', 'dim')];
  const why: Line = [span('why? ', 'dim'), span(`${explainCommand} ${id}`, 'accent')];
  // What is in memory cannot be asked from outside.
  const where =
    directory === undefined
      ? [[span('kept in memory only', 'dim')] satisfies Line]
      : [why, [span(`data in ${directory}`, 'dim')] satisfies Line];
  return [isOver(phase) ? [] : stop, ...where];
}

/** What to do next. */
export function footerBlock(state: LiveState, width: number): Block {
  return fixedBlock([joinFitting(hints(state), width)]);
}

/** What is wrong now with a run and its pipelines. */
export function problemsOf(state: LiveState): readonly string[] {
  const stuck = state.pipelines.flatMap(({ status: { name, problem, stuckAt } }) =>
    problem === undefined ? [] : [`${name}: ${problem}${stuckAt === undefined ? '' : ` (at ${stuckAt})`}`],
  );
  return [...new Set([...state.problems, ...stuck])];
}

/** What is wrong now; nothing where nothing is. */
export function problemsBlock(problems: readonly string[], width: number): Block {
  const lines = problems.map(text => clipLine([span('! ', 'bad'), span(text, 'bad')], width));
  return {
    least: Math.min(1, lines.length),
    most: Math.min(4, lines.length),
    render: rows =>
      lines.length <= rows || rows < 2
        ? lines.slice(0, rows)
        : [
            ...lines.slice(0, rows - 1),
            [span(`! and ${plural(lines.length - rows + 1, 'more problem')}`, 'bad')],
          ],
  };
}
