import type { BusError, Receipt } from '../core/publisher.ts';

/**
 * What accepting a message means, told once and never taken back:
 *
 * - `stored`: the broker has it, at the place that the receipt names;
 * - `spilled`: it is written to the folder and goes to the broker from there, also after `kill -9`. With `durable` it
 *   was forced to the disk before this was told and outlives a loss of power too.
 *
 * What only waits in memory is not accepted yet, and its sender still waits for the word.
 */
export type Acceptance =
  | { readonly tag: 'stored'; readonly receipt: Receipt }
  | { readonly tag: 'spilled'; readonly durable: boolean };

/** Told once what became of a message: why it was not accepted, or how it was. */
export type Accepted = (error: BusError | undefined, acceptance: Acceptance | undefined) => void;
