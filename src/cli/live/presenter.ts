import type { Terminal } from '../terminal.ts';
import { renderJson } from '../view/json.ts';
import type { LiveState } from '../view/live-state.ts';
import { Painter } from '../view/painter.ts';
import { renderPlain } from '../view/plain.ts';
import { renderScreen } from '../view/screen.ts';
import { renderSummary } from '../view/summary.ts';

export type Style = 'screen' | 'plain' | 'json';

/** How a run is shown: redrawn in place, as plain lines, or as a JSON object a line. */
export interface Presenter {
  /** How often it wants to show something, ms. */
  readonly everyMs: number;
  show(state: LiveState): void;
  /** The last word. */
  close(state: LiveState): void;
}

const progressEveryMs = 2_000;

export function presenter(style: Style, terminal: Terminal): Presenter {
  switch (style) {
    case 'screen':
      return screenPresenter(terminal);
    case 'plain':
      return plainPresenter(terminal);
    case 'json':
      return {
        everyMs: 1_000,
        show: state => terminal.out(renderJson(state)),
        close: state => terminal.out(renderJson(state)),
      };
  }
}

function screenPresenter(terminal: Terminal): Presenter {
  const { stream, colour } = terminal;
  const painter = new Painter(stream);
  const draw = (state: LiveState): void => painter.draw(renderScreen(state, { ...painter.size, colour }));
  return {
    everyMs: 250,
    show: draw,
    close: state => {
      draw(state);
      painter.close();
      terminal.out(['', ...renderSummary(state, { columns: stream.columns, colour })].join('\n'));
    },
  };
}

function plainPresenter(terminal: Terminal): Presenter {
  let previous: LiveState | undefined;
  let progressAt = 0;
  const print = (state: LiveState, progress: boolean): void => {
    const lines = renderPlain(previous, state, { progress });
    if (lines.length > 0) terminal.out(lines.join('\n'));
    previous = state;
  };
  return {
    everyMs: 500,
    show: state => {
      const progress = state.elapsedMs - progressAt >= progressEveryMs;
      if (progress) progressAt = state.elapsedMs;
      print(state, progress);
    },
    close: state => {
      print(state, true);
      terminal.out(['', ...renderSummary(state, { columns: 100, colour: terminal.colour })].join('\n'));
    },
  };
}
