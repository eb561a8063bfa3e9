import { rawCodec } from '../core/codec.ts';
import { BusError } from '../core/publisher.ts';
import { type TopicSpec, topic } from '../core/topic.ts';

/** @throws BusError `invalid-option` naming what is wrong with the name or a setting */
export function requireLegalTopic({ name, settings }: TopicSpec): void {
  try {
    topic(name, rawCodec, settings);
  } catch (cause) {
    throw new BusError('invalid-option', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
