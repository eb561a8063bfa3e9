import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The part of kafkajs's request queue that is at fault. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}

let isDone = false;

/**
 * kafkajs 2.2.4 looks for throttled requests about 900 times a second on each connection, also where there are none:
 * its time-out is what is left of a throttling long past, a number below zero, of which Node warns
 * (tulios/kafkajs#1751). Here it looks only while a request waits; its time-out is then above zero by its own code.
 */
export function stopIdleTimers(): void {
  if (isDone) return;
  isDone = true;
  const { prototype } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
