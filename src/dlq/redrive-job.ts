import { hash } from 'node:crypto';
import type { EventBus } from '../bus/event-bus.ts';
import { deadLetterTopic } from '../core/dead-letter.ts';
import type { LetterSelection } from './letter-selection.ts';
import type { RedriveOptions } from './redrive-options.ts';
import type { Positions } from './scan-letters.ts';

const hashDigits = 12;

/** The consumer group of a redrive: the same call has the same, and so goes on where it stopped. */
export function redriveJob(
  selection: LetterSelection,
  { topic = deadLetterTopic, transform, transformId }: RedriveOptions = {},
): string {
  const { id, group, pipeline, key, since, until } = selection;
  const edit = transform && (transformId ?? hash('sha256', transform.toString(), 'hex'));
  const parts = [topic, id, group, pipeline, key, since, until, edit].map(part => part ?? null);
  return `redrive-${hash('sha256', JSON.stringify(parts), 'hex').slice(0, hashDigits)}`;
}

/** Where a job stands in its topic. */
export interface JobPlace {
  readonly committed: Positions;
  /** Messages that it has gone through, of those still there. */
  readonly before: number;
  /** Messages up to the end. */
  readonly total: number;
}

/** @throws BusError `topic-not-found` */
export async function placeOf(bus: EventBus, topic: string, job: string | undefined): Promise<JobPlace> {
  const { partitions, groups } = await bus.getTopicInfo(topic);
  const committed: Record<number, number> = {};
  for (const mark of groups) if (mark.group === job) committed[mark.partition] = mark.committed;
  let [before, total] = [0, 0];
  for (const { partition, firstOffset, nextOffset } of partitions) {
    const start = Math.max(firstOffset, committed[partition] ?? firstOffset);
    before += start - firstOffset;
    total += nextOffset - start;
  }
  return { committed, before, total };
}
