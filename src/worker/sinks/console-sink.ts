import { defer, of } from 'rxjs';
import type { NotificationSink } from './notification-sink.ts';

/**
 * Writes each notification's text, and an empty line between.
 *
 * @param write takes text as it is, `process.stdout.write` for one
 */
export function consoleSink(write: (text: string) => unknown, name = 'console'): NotificationSink {
  return { name, deliver: ({ text }) => defer(() => of(write(`${text}\n\n`))) };
}
