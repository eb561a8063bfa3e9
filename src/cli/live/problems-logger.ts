import type { Logger } from '../../worker/logger.ts';

const kept = 5;
const shownForMs = 30_000;

/** A logger for a run that people watch: what goes wrong is shown in the view for a while. */
export interface ProblemsLogger extends Logger {
  /** What went wrong lately, in words. */
  problems(): readonly string[];
}

export function problemsLogger(): ProblemsLogger {
  let recent: { readonly at: number; readonly text: string }[] = [];
  const add = (fields: object, message: string): void => {
    const reason = 'reason' in fields && typeof fields.reason === 'string' ? `: ${fields.reason}` : '';
    const text = `${message}${reason}`;
    recent = [...recent.filter(other => other.text !== text), { at: performance.now(), text }].slice(-kept);
  };
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: add,
    error: add,
    problems: () => {
      const now = performance.now();
      return recent.filter(({ at }) => now - at < shownForMs).map(({ text }) => text);
    },
  };
}
