import { BusError } from '../core/publisher.ts';

/** The refusal of a message for a partition that its topic, of so many, does not have. */
export function noSuchPartition(topic: string, partition: number, partitions: number): BusError {
  const last = partitions - 1;
  return new BusError(
    'invalid-message',
    `topic ${topic} has no partition ${partition}: name one from 0 to ${last}, or none, for the key to choose it`,
  );
}
