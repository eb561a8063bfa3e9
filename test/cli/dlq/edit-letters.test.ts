import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { EditDesk } from '../../../src/cli/dlq/edit-desk.ts';
import { followRedrive } from '../../../src/cli/dlq/follow-redrive.ts';
import { letterOf as letterTold, wholeOf } from '../../../src/cli/dlq/letter-answers.ts';
import type { RedriveRequest } from '../../../src/cli/dlq/redrive-answers.ts';
import { RedriveJobs } from '../../../src/cli/dlq/redrive-jobs.ts';
import { deadLetterTopic, readDeadLetter } from '../../../src/core/dead-letter.ts';
import { MessageHeaders } from '../../../src/core/headers.ts';
import type { LetterTransform } from '../../../src/dlq/redrive-options.ts';
import type { RedriveReport } from '../../../src/dlq/redrive-tally.ts';
import { auditTopic } from '../../../src/worker/report-topics.ts';
import { busWith, idOf, letterOf, publish, storedIn } from '../../dlq/letters.ts';

const request: RedriveRequest = {
  topic: deadLetterTopic,
  selection: {},
  dryRun: false,
  again: false,
  isRelease: false,
  by: 'alice',
  transformId: 'fix',
};

/** The largest body that a process takes. */
const maxBody = 64 * 1024;

/** Redrives as a command does that edits, through questions of the size that a process takes. */
function redriven(
  bus: EventBus,
  transform: LetterTransform,
  stop: AbortController = new AbortController(),
): Promise<RedriveReport> {
  const jobs = new RedriveJobs(bus);
  const ask = async (name: string, args: readonly string[]): Promise<unknown> => {
    expect(JSON.stringify({ args }).length).toBeLessThanOrEqual(maxBody);
    return JSON.parse(JSON.stringify(await jobs.queries[name]!(bus, args, undefined)));
  };
  return followRedrive({ ask }, request, {
    stream: { isTTY: false, write: () => true },
    signal: stop.signal,
    edit: { transform, transformId: 'fix' },
    joined: () => undefined,
  });
}

const payloads = (bus: EventBus): readonly string[] =>
  storedIn(bus, 'prices').map(({ payload }) => (payload ? Buffer.from(payload).toString() : 'null'));

describe('letters that a command edits', () => {
  it('are edited, left and refused one by one, and the audit log knows of each edit', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(
      bus,
      [1, 2, 3, 4, 5].map(n => letterOf({ n, key: 'k' })),
    );
    const report = await redriven(bus, ({ id, payload }) => {
      if (id === idOf(1)) return Promise.resolve(Buffer.from('edited'));
      if (id === idOf(2)) return undefined;
      if (id === idOf(3)) return null;
      if (id === idOf(4)) throw new Error('no price');
      return payload;
    });
    expect(report).toMatchObject({ outcome: 'done', sent: 3, edited: 2, failed: 1 });
    expect(report.skipped).toMatchObject({ 'edited away': 1 });
    expect(report.failures).toMatchObject([{ id: idOf(4), reason: 'the transform failed: no price' }]);
    expect(payloads(bus).toSorted()).toEqual(['edited', 'null', 'payload 5']);
    expect(storedIn(bus, auditTopic.name)).toHaveLength(4);
  });

  it('may become longer than a question may be', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, [letterOf({ n: 1 }), letterOf({ n: 2 })]);
    const long = 'payload '.repeat(25_000);
    const report = await redriven(bus, () => Buffer.from(long));
    expect(report).toMatchObject({ outcome: 'done', sent: 2, edited: 2 });
    expect(payloads(bus)).toEqual([long, long]);
  });

  it('that are being edited when the command is stopped are looked at again by the next', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, [letterOf({ n: 1, key: 'k' }), letterOf({ n: 2, key: 'k' })]);
    const stop = new AbortController();
    const report = await redriven(
      bus,
      ({ id, payload }) => {
        if (id === idOf(2)) stop.abort();
        return payload;
      },
      stop,
    );
    expect(report.failed).toBe(0);
    const rest = await redriven(bus, ({ payload }) => payload);
    expect(report.sent + rest.sent).toBe(2);
    expect(payloads(bus)).toEqual(['payload 1', 'payload 2']);
  });

  it('are edited by one command at a time', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, [letterOf({ n: 1 })]);
    const jobs = new RedriveJobs(bus);
    const start = (): Promise<unknown> =>
      jobs.queries['redrive-start']!(bus, [JSON.stringify(request)], undefined);
    await start();
    await expect(start()).rejects.toThrow('with its letters edited by another command');
    await jobs.stop();
  });

  it('are told with every field', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    const headers = MessageHeaders.of([['h', Buffer.from([0xff])]]);
    const letter = letterOf({ n: 1, key: 'k' });
    await publish(bus, [{ ...letter, headers: MessageHeaders.of([...(letter.headers ?? []), ...headers]) }]);
    const [stored] = storedIn(bus, deadLetterTopic);
    const read = stored && readDeadLetter(stored);
    const told = read && letterTold(wholeOf(read));
    expect(told && { ...told, headers: [...told.headers] }).toEqual(
      read && { ...read, payload: read.payload && Buffer.from(read.payload), headers: [...read.headers] },
    );
  });
});

describe('an edit desk', () => {
  it('gives up once nobody has asked for a letter for half a minute', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, [letterOf({ n: 1 })]);
    const letter = readDeadLetter(storedIn(bus, deadLetterTopic)[0]!)!;
    const scheduler = new VirtualTimeScheduler();
    let abandonedAt: number | undefined;
    const desk = new EditDesk(scheduler, () => {
      abandonedAt = scheduler.now();
      desk.close();
    });
    const edited = desk.transform(letter);
    scheduler.schedule(() => void desk.next(), 20_000);
    scheduler.flush();
    await expect(edited).rejects.toThrow('the redrive has ended');
    expect(abandonedAt).toBe(50_000);
    expect(await desk.next()).toEqual({ isOver: true });
  });
});
