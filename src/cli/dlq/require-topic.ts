import type { EventBus } from '../../bus/event-bus.ts';
import { deadLetterTopic, quarantineTopic } from '../../core/dead-letter.ts';
import { CliError } from '../cli-error.ts';

/** @throws CliError where there is no such topic, in the words of who looks for letters */
export async function requireTopic(bus: EventBus, topic: string): Promise<void> {
  if ((await bus.listTopics()).includes(topic)) return;
  const isOurs = topic === deadLetterTopic || topic === quarantineTopic;
  const why = isOurs ? 'nothing has failed yet' : 'see "cryptorun topics"';
  throw new CliError(2, `there is no topic ${topic} here: ${why}`);
}
