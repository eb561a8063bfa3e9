import type { EventBus } from '../bus/event-bus.ts';
import { deadLetterTopic, quarantineTopic } from '../core/dead-letter.ts';
import type { LetterSelection } from './letter-selection.ts';
import { quarantinedOrigins } from './quarantined-origins.ts';
import { placeOf, redriveJob } from './redrive-job.ts';
import type { RedriveOptions } from './redrive-options.ts';
import { RedriveRun } from './redrive-run.ts';
import type { RedriveReport } from './redrive-tally.ts';

/**
 * Sends dead letters back: each goes to the topic and partition it came from, byte for byte, with its key, event
 * time and headers, addressed to the pipeline that failed, so that no other takes it a second time.
 *
 * It reads the dead-letter topic up to what is its end at the start, with a consumer group named after selection and
 * transform, and commits a letter once it is stored: whatever ends it, the same call goes on where it stopped, and
 * one that is through has nothing more to do until there are new letters. After `kill -9` some letters are sent
 * twice, with the same redrive id, and the pipeline takes each once. Messages of one key stay in order. What cannot
 * be sent is reported and passed over. The letters stay in their topic until its retention removes them.
 *
 * What is in quarantine is not sent; see `topic` for how to release it.
 *
 * @example
 * const { sent, failures } = await redrive(bus, { pipeline: 'bars' }, { ratePerSecond: 100 });
 * console.log(`${sent} sent`, failures);
 *
 * @param options.topic `cryptorun-quarantine` releases what is in quarantine; its count of dead letters stays,
 * so that failing once more puts it back at once
 * @throws BusError `topic-not-found` where there are no dead letters
 * @throws OptionError for a rate or limit out of range
 */
export async function redrive(
  bus: EventBus,
  selection: LetterSelection = {},
  options: RedriveOptions = {},
): Promise<RedriveReport> {
  const { topic = deadLetterTopic, dryRun = false, again = false } = options;
  const job = redriveJob(selection, options);
  if (again && !dryRun) await bus.deleteGroup(job);
  const signal = options.signal ?? new AbortController().signal;
  const place = await placeOf(bus, topic, again ? undefined : job);
  const quarantined =
    topic === quarantineTopic ? new Set<string>() : await quarantinedOrigins(bus, selection, signal);
  return new RedriveRun({ bus, selection, options, job, place, quarantined, signal }).run();
}
