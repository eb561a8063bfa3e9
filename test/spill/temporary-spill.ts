import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualAction, VirtualTimeScheduler } from 'rxjs';
import { onTestFinished } from 'vitest';
import { MessageHeaders } from '../../src/core/headers.ts';
import { type OutgoingMessage, messageId, offset, partition } from '../../src/core/message.ts';
import { BusError, type Published, type Publisher } from '../../src/core/publisher.ts';
import type { Acceptance } from '../../src/spill/acceptance.ts';
import { createSpillingPublisher } from '../../src/spill/create-spilling-publisher.ts';
import type { SpillEvent } from '../../src/spill/spill-event.ts';
import type { SpillOptions } from '../../src/spill/spill-options.ts';
import type { SpillingPublisher } from '../../src/spill/spilling-publisher.ts';

/** A folder of its own that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'spill-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
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

type Answer = BusError['code'] | 'stored' | 'never';

/** A broker that stores or refuses what it is told to, and answers at once or when told. */
export class Broker implements Publisher {
  readonly stored: OutgoingMessage[] = [];
  /** What becomes of a message. */
  answer: (message: OutgoingMessage) => Answer = () => 'stored';
  /** Answers wait for {@link answerAll}. */
  isSlow = false;
  readonly #waiting: (() => void)[] = [];

  /** On their way: sent and not answered. */
  get sending(): readonly (() => void)[] {
    return this.#waiting;
  }

  goAway(code: BusError['code'] = 'publish-timeout'): void {
    this.answer = () => code;
  }

  comeBack(): void {
    this.answer = () => 'stored';
  }

  send(message: OutgoingMessage, done: Published): void {
    if (this.isSlow) this.#waiting.push(() => this.#answer(message, done));
    else this.#answer(message, done);
  }

  answerAll(): void {
    for (const answer of this.#waiting.splice(0)) answer();
  }

  partitionsOf(): number {
    return 1;
  }

  /** The payloads of what was stored, as text. */
  get texts(): string[] {
    return this.stored.map(textOf);
  }

  #answer(message: OutgoingMessage, done: Published): void {
    const answer = this.answer(message);
    if (answer === 'never') return;
    if (answer !== 'stored') return done(new BusError(answer, `told to refuse: ${answer}`), undefined);
    const at = this.stored.push(message) - 1;
    const id = message.id ?? messageId('none');
    done(undefined, { topic: message.topic, partition: partition(0), offset: offset(at), id });
  }
}

export function textOf({ payload }: OutgoingMessage): string {
  return Buffer.from(payload ?? []).toString();
}

export function text(payload: string, key: string | null = 'k', topic = 'prices'): OutgoingMessage {
  return { topic, key, payload: Buffer.from(payload), headers: MessageHeaders.empty };
}

/** What one test needs: a publisher that is closed with it, and everything around it. */
export interface Spill {
  readonly publisher: SpillingPublisher;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly events: SpillEvent[];
  readonly dir: string;
  /** What became of each message, by its text. */
  readonly told: Map<string, BusError | Acceptance>;
  readonly send: (message: OutgoingMessage) => void;
  /** Lets writes that were gathered be written, and ms go by. */
  readonly runFor: (ms: number) => Promise<void>;
}

export async function openedSpill(
  options: Partial<SpillOptions> = {},
  broker = new Broker(),
): Promise<Spill> {
  const clock = new Clock();
  const events: SpillEvent[] = [];
  const dir = options.dir ?? temporaryFolder();
  const publisher = await createSpillingPublisher(broker, {
    fsync: 'never',
    scheduler: clock,
    report: event => events.push(event),
    backoff: { jitter: 'none' },
    ...options,
    dir,
  });
  onTestFinished(() => closeNow(publisher, clock));
  const told: Spill['told'] = new Map();
  return {
    publisher,
    broker,
    clock,
    events,
    dir,
    told,
    send: message =>
      publisher.send(message, (error, acceptance) => {
        const word = error ?? acceptance;
        if (word !== undefined) told.set(textOf(message), word);
      }),
    runFor: async ms => {
      await Promise.resolve();
      clock.runFor(ms);
      await Promise.resolve();
    },
  };
}

/** Closes without waiting for answers that will not come. */
export async function closeNow(publisher: SpillingPublisher, clock: Clock): Promise<void> {
  const closing = publisher.close();
  clock.runFor(10_000);
  await closing;
}
