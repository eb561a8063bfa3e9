import type { Publisher } from '../core/publisher.ts';
import { settingsOf, type SpillOptions } from './spill-options.ts';
import { SpillingPublisher } from './spilling-publisher.ts';

/**
 * Makes a publisher that outlives outages of its broker, for whatever publishes from outside a pipeline.
 *
 * A message goes straight to the broker while that takes it. What the broker does not take waits in memory, and after
 * `spillAfterMs`, or once memory is full, in segment files; from then on everything goes behind it, until the broker is
 * back and has it all. Inside a pipeline nothing is spilled: `publishTo` makes the pipeline wait instead.
 *
 * ```
 * publish   --1--2--3--4--5------6--|
 * broker    --1--[    away   ]2345--6
 * accepted  --b-------d-dd-d-----b    b: by the broker, d: by the disk
 * ```
 *
 * - **Order**: messages of one topic and key (without a key: of one partition that the sender names) reach the broker
 *   in the order in which they were published. One of a key is on its way at a time, so that nothing behind a refused
 *   message can be stored before it. Messages without either have no order.
 * - **At least once**: what was accepted outlives the process. A message may be sent again when its answer was lost;
 *   it keeps its id. After a crash also what was sent since the position was stored, which is done every 1000 messages
 *   and 100 ms, and what stood in memory then: at most `memoryMessages`, or some 800 read back from the folder.
 * - **Refused for good** (too large, no such topic): told to the sender while it waits; a spilled message is set aside
 *   in `refused/` of the folder and reported, and the rest goes on. A bus that is not started counts as away.
 * - **Full**: past `maxBytes`, `maxAgeMs` or the disk's end, publishing is refused with `buffer-full`.
 *
 * @example
 * const spilling = await createSpillingPublisher(bus, {
 *   dir: 'data/spill',
 *   report: event => console.warn(event.tag),
 * });
 * const accepted = await spilling.publish({ topic: 'prices', key: 'BTC-USD', payload: Buffer.from('64000') });
 * accepted.tag; // 'stored', or 'spilled' while the broker is away
 * await spilling.close();
 * @param publisher any publisher; an event bus is one. It must answer every message that it is sent, once.
 * @throws OptionError for an option out of its range
 * @throws BusError `storage` where the folder cannot be used or another process has it, `invalid-option` where the key
 * cannot be read or is not that of the messages in the folder
 */
export function createSpillingPublisher(
  publisher: Publisher,
  options: SpillOptions,
): Promise<SpillingPublisher> {
  return new Promise(resolve => resolve(new SpillingPublisher(publisher, settingsOf(options))));
}
