import { TestScheduler } from 'rxjs/testing';

/** Marbles as lines of time and name, `3 a`; only letters mean something in them. To be called in a running test. */
export function settlementMarbles(marbles: string): string {
  return TestScheduler.parseMarbles(marbles, undefined, undefined, false, true)
    .flatMap(({ frame, notification }) =>
      notification.kind === 'N' ? [`${frame} ${String(notification.value)}`] : [],
    )
    .join('\n');
}
