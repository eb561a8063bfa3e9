import type { EventBus } from '../bus/event-bus.ts';
import { type DeadLetter, quarantineTopic } from '../core/dead-letter.ts';
import { BusError } from '../core/publisher.ts';
import { listDeadLetters } from './list-dead-letters.ts';
import type { LetterSelection } from './letter-selection.ts';

/** As many are kept in mind. */
const maxOrigins = 500_000;

/**
 * The messages that are in quarantine, as far as a selection may mean letters of theirs: earlier letters of one
 * lie in the dead-letter topic still.
 *
 * @throws BusError `invalid-option` where there are too many to keep in mind
 */
export async function quarantinedOrigins(
  bus: EventBus,
  { pipeline, key }: LetterSelection,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const origins = new Set<string>();
  if (!(await bus.listTopics()).includes(quarantineTopic)) return origins;
  const same = { ...(pipeline !== undefined && { pipeline }), ...(key !== undefined && { key }) };
  for await (const letter of listDeadLetters(bus, same, { topic: quarantineTopic, signal })) {
    origins.add(originName(letter));
    if (origins.size > maxOrigins) {
      throw new BusError(
        'invalid-option',
        `${quarantineTopic} holds more than ${maxOrigins} messages: redrive one pipeline or key at a time`,
      );
    }
  }
  return origins;
}

/** Names the failing of one message in one pipeline, however often it did. */
export function originName({ pipeline, origin }: DeadLetter): string {
  return `${pipeline} ${origin.topic} ${origin.partition} ${origin.offset}`;
}
