import type { BusError } from '../core/publisher.ts';

/**
 * What the owner of a spilling publisher may want to log or count:
 *
 * - `spilling`: from here on everything goes through the folder; `reason` says why, `messages` how many lie there;
 * - `waiting`: the broker refused and is asked again after `delayMs`; `attempt` counts refusals since it last took one;
 * - `drained`: the folder is empty again, after so many messages;
 * - `refused`: the broker will never take this spilled message, which now lies in `folder` (see `refused()`);
 * - `unreadable`: a stretch of the folder holds no readable message; a copy lies beside `path`, the rest goes on;
 * - `failed`: the disk did not do what was asked of it; nothing that was accepted is lost.
 */
export type SpillEvent =
  | { readonly tag: 'spilling'; readonly reason: string; readonly messages: number }
  | {
      readonly tag: 'waiting';
      readonly attempt: number;
      readonly delayMs: number;
      readonly cause: BusError;
    }
  | { readonly tag: 'drained'; readonly messages: number }
  | {
      readonly tag: 'refused';
      readonly topic: string;
      readonly key: string | null;
      readonly id: string;
      readonly cause: BusError;
      readonly folder: string;
    }
  | { readonly tag: 'unreadable'; readonly path: string; readonly reason: string }
  | { readonly tag: 'failed'; readonly cause: BusError };
