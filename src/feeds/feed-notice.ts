import type { LiveEvent } from './live/live-session.ts';

/** What a live feed has to say of its connection, for people. */
export interface FeedNotice {
  readonly level: 'info' | 'warn';
  readonly text: string;
}

/** Of what a venue says, so much is passed on. */
const maxText = 500;

export function noticeOf(event: LiveEvent): FeedNotice {
  switch (event.kind) {
    case 'connected':
      // What stands behind the host may be a key.
      return { level: 'info', text: `connected to ${new URL(event.url).host}` };
    case 'reconnecting': {
      const { reason, attempt, inMs } = event;
      return {
        level: 'warn',
        text: `connecting again in ${Math.round(inMs)} ms (attempt ${attempt}): ${reason.slice(0, maxText)}`,
      };
    }
    case 'resync':
      return {
        level: 'warn',
        text: `the book of ${event.symbol} is silent until it is whole again: ${event.reason.slice(0, maxText)}`,
      };
    case 'answer':
      return { level: 'info', text: `the venue says: ${event.text.slice(0, maxText)}` };
    case 'error':
      return { level: 'warn', text: `the venue refuses: ${event.text.slice(0, maxText)}` };
    case 'paused':
      return { level: 'info', text: `reading waits: ${event.queued} items are not taken yet` };
    case 'resumed':
      return { level: 'info', text: 'reading goes on' };
  }
}
