import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualAction, VirtualTimeScheduler } from 'rxjs';
import { onTestFinished } from 'vitest';
import { type EmbeddedOptions, embeddedBus } from '../../../src/bus/embedded/embedded.ts';
import type { EventBus, SourceOptions } from '../../../src/bus/event-bus.ts';
import { settlement } from '../../../src/core/delivery.ts';
import type { Message, OutgoingMessage } from '../../../src/core/message.ts';
import { type TopicSettings, defaultTopicSettings } from '../../../src/core/topic.ts';

/** A folder of its own that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'embedded-bus-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A small file system of its own; undefined where this machine does not allow one. */
export function smallDisk(size: string): string | undefined {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}

/** A clock that goes on only when told. */
export class Clock extends VirtualTimeScheduler {
  constructor() {
    super(VirtualAction, 0);
  }

  runFor(ms: number): void {
    this.maxFrames = this.frame + ms;
    // The clock stands where the last action left it; this one takes it to the end.
    this.schedule(() => undefined, ms);
    this.flush();
  }
}

/** A started bus in a folder that is stopped with the test. */
export async function startedBus(options: EmbeddedOptions): Promise<EventBus> {
  const bus = embeddedBus({ scheduler: new Clock(), fsync: 'never', ...options });
  await bus.start();
  onTestFinished(() => bus.stop());
  return bus;
}

export async function createTopic(
  bus: EventBus,
  name: string,
  settings: Partial<TopicSettings> = {},
): Promise<void> {
  await bus.createTopic({ name, settings: { ...defaultTopicSettings, ...settings } });
}

/** Everything that is in the topic now, acked. */
export function everythingIn(bus: EventBus, topic: string, options: SourceOptions = {}): Message[] {
  const messages: Message[] = [];
  let failed: Error | undefined;
  bus.source(topic, { untilEnd: true, ...options }).subscribe({
    next: delivery => {
      messages.push(delivery.message);
      delivery[settlement].ack();
    },
    error: (cause: Error) => (failed = cause),
  });
  if (failed !== undefined) throw failed;
  return messages;
}

/** A message of text. */
export function text(topic: string, key: string | null, payload: string | null): OutgoingMessage {
  return { topic, key, payload: payload === null ? null : Buffer.from(payload) };
}

/** The payloads as text. */
export function payloads(messages: readonly Message[]): (string | null)[] {
  return messages.map(({ payload }) => (payload === null ? null : Buffer.from(payload).toString()));
}
