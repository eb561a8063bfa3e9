import { TestScheduler } from 'rxjs/testing';

/** Marbles, or several lines of them: a group such as `(ab)` takes more room in a line than it takes time. */
export type SettlementMarbles = string | readonly string[];

/** Marbles as lines of time and name, `3 a`; only letters mean something. To be called in a running test. */
export function settlementLines(marbles: SettlementMarbles = ''): string {
  return [marbles]
    .flat()
    .flatMap(line => TestScheduler.parseMarbles(line, undefined, undefined, false, true))
    .filter(({ notification }) => notification.kind === 'N')
    .sort((a, b) => a.frame - b.frame)
    .map(({ frame, notification }) => `${frame} ${String('value' in notification && notification.value)}`)
    .join('\n');
}
