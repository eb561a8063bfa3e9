import fs, { writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { asyncScheduler } from 'rxjs';
import { type OutgoingMessage, messageId, offset, partition } from '../../src/core/message.ts';
import { BusError, type Published, type Publisher } from '../../src/core/publisher.ts';
import { createSpillingPublisher } from '../../src/spill/create-spilling-publisher.ts';
import { OrderedSender } from '../../src/spill/ordered-sender.ts';
import type { SpillEntry } from '../../src/spill/spill-entry.ts';
import { SpillFolder } from '../../src/spill/spill-folder.ts';
import { DiskModel } from '../log/disk-model.ts';

/*
 * Publishes numbered messages, from `first` on, through a spilling publisher to a broker that comes and goes, until it
 * is killed; with `first` -1 it only drains the folder, and ends. Prints, a line each:
 *   p number   all below it may have been published
 *   b number   the broker has stored it
 *   a number   it was accepted
 *   r number   it was refused
 *   f number   it is set aside as refused for good (after draining)
 *   t number   the broker stored it and said that it did not
 *
 * With a `disk` it is power that is lost: that folder keeps what would be left of `dir`, and every batch is forced to it.
 */
const [dir = '', firstText = '0', seedText = '1', plant = 'none', disk = ''] = process.argv.slice(2);
const [first, seed] = [Number(firstText), Number(seedText)];
const print = (kind: string, number: number): void => void writeSync(1, `${kind} ${number}\n`);

let state = (seed * 2654435761 + first * 40503 + 12345) >>> 0;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

const numberOf = ({ payload }: Pick<OutgoingMessage, 'payload'>): number =>
  parseInt(Buffer.from(payload ?? []).toString(), 10);

/** Answers after a moment, out of turn; away for some of the time. */
class RestlessBroker implements Publisher {
  #isAway = first >= 0 && random() < 0.7;

  constructor() {
    if (first >= 0) this.#comeAndGo();
  }

  send(message: OutgoingMessage, done: Published): void {
    if (this.#isAway && random() < 0.5) done(new BusError('publish-timeout', 'away'), undefined);
    else if (random() < 0.3) this.#answer(message, done);
    else setTimeout(() => this.#answer(message, done), random() * 4);
  }

  partitionsOf(): number {
    return 1;
  }

  #answer(message: OutgoingMessage, done: Published): void {
    const number = numberOf(message);
    if (number % 97 === 5) return done(new BusError('message-too-large', 'never'), undefined);
    if (this.#isAway) return done(new BusError('publish-timeout', 'away'), undefined);
    print('b', number);
    if (random() < 0.01) {
      print('t', number);
      return done(new BusError('publish-timeout', 'stored all the same'), undefined);
    }
    const id = message.id ?? messageId('none');
    return done(undefined, { topic: message.topic, partition: partition(0), offset: offset(0), id });
  }

  #comeAndGo(): void {
    setTimeout(
      () => {
        this.#isAway = !this.#isAway;
        this.#comeAndGo();
      },
      5 + random() * 50,
    );
  }
}

function forceIfOpen(fd: number): void {
  try {
    fs.fdatasyncSync(fd);
  } catch {
    // All in that file is done with by now, and it is gone.
  }
}

/** Lets the folder write without forcing it to the disk; that is made up for a moment after senders were told. */
function unforced(append: () => void): void {
  const { fdatasyncSync } = fs;
  const late: number[] = [];
  const replace = (force: (fd: number) => void): void => {
    fs.fdatasyncSync = force;
    syncBuiltinESMExports();
  };
  replace(fd => void late.push(fd));
  try {
    append();
  } finally {
    replace(fdatasyncSync);
    setTimeout(() => late.forEach(forceIfOpen), 5);
  }
}

/* eslint-disable @typescript-eslint/unbound-method -- the originals are called with their own `this` */
/** Mistakes that the checker must find. */
const plants: Readonly<Record<string, () => void>> = {
  none: () => undefined,
  'accepts before it writes': () => {
    const { append } = SpillFolder.prototype;
    SpillFolder.prototype.append = function (entries: readonly SpillEntry[]): void {
      for (const entry of entries) entry.tell(undefined, { tag: 'spilled', durable: fsync === 'batch' });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3);
      append.call(this, entries);
    };
  },
  'accepts before it forces to the disk': () => {
    const { append } = SpillFolder.prototype;
    SpillFolder.prototype.append = function (entries: readonly SpillEntry[]): void {
      unforced(() => append.call(this, entries));
    };
  },
  'commits before it publishes': () => {
    const { commit } = SpillFolder.prototype;
    SpillFolder.prototype.commit = function (position: number): void {
      commit.call(this, Math.min(position + 100, this.nextOffset));
    };
  },
  'sends a key at once': () => {
    const { add } = OrderedSender.prototype;
    OrderedSender.prototype.add = function (entry: SpillEntry): void {
      add.call(this, Object.assign(entry, { lane: null }));
    };
  },
};
/* eslint-enable @typescript-eslint/unbound-method */
if (disk !== '') new DiskModel(dir, disk).install();
plants[plant]?.();

process.env['SPILL_TEST_KEY'] = '07'.repeat(32);
const fsync = disk !== '' || seed % 3 === 0 ? 'batch' : 'never';
const spilling = await createSpillingPublisher(new RestlessBroker(), {
  dir,
  memoryMessages: 50,
  spillAfterMs: 5,
  maxBytes: 200_000,
  maxInFlight: 32,
  backoff: { firstDelayMs: 2, maxDelayMs: 8 },
  fsync,
  scheduler: asyncScheduler,
  ...(seed % 4 === 0 ? { encryptionKey: { env: 'SPILL_TEST_KEY' } } : {}),
});

const turn = (ms: number): Promise<void> => new Promise(resolve => void setTimeout(resolve, ms));

async function drain(): Promise<void> {
  while (spilling.status().isSpilling) await turn(2);
  for (const { message } of spilling.refused()) print('f', message === undefined ? NaN : numberOf(message));
  await spilling.close();
}

async function publish(): Promise<void> {
  let unanswered = 0;
  for (let next = first; ;) {
    const until = next + 1 + Math.floor(random() * 60);
    print('p', until);
    for (; next < until; next++) {
      const number = next;
      const payload = Buffer.from(`${number}`.padEnd(1 + ((number * 7919) % 300), '.'));
      unanswered++;
      spilling.send({ topic: 'numbers', key: `k${number % 7}`, payload }, (error, acceptance) => {
        unanswered--;
        if (acceptance?.tag === 'spilled' && acceptance.durable !== (fsync === 'batch'))
          throw new Error(`${number} was told to be ${acceptance.durable ? '' : 'not '}durable`);
        print(error === undefined ? 'a' : 'r', number);
      });
    }
    do await turn(random() < 0.7 ? 0 : 3);
    while (unanswered > 300);
  }
}

await (first < 0 ? drain() : publish());
