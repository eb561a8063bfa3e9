import {
  NEVER,
  type OperatorFunction,
  concatMap,
  firstValueFrom,
  identity,
  map,
  merge,
  of,
  timer,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  BusError,
  type Delivery,
  Marker,
  type Pipeline,
  Runtime,
  isMarker,
  pipeline,
} from '../../src/index.ts';
import {
  batch,
  decode,
  delayUntil,
  filterValues,
  joinAsOf,
  mapValues,
  publishTo,
  retryWithBackoff,
} from '../../operators/index.ts';
import { OptionError } from '../../src/core/option.ts';
import type { PipelineEvent } from '../../src/runtime/pipeline-status.ts';
import { readStoredUnit } from '../../src/runtime/stored-state.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { type StubSession, withTransactions } from './transactional-stub.ts';
import { committed, counting, deadLetters, shouted, shouting, slowly, topics, words } from './words.ts';

const exact = { guarantee: 'exactly-once' } as const;

/** One pipeline on the bus in memory, with transactions that the test looks into. */
class Exact {
  readonly driver: PipelineDriver;
  readonly events: PipelineEvent[] = [];
  readonly #sessions: readonly StubSession[];
  readonly #runtime: Runtime;

  private constructor(driver: PipelineDriver, running: Pipeline) {
    this.driver = driver;
    const { bus, sessions } = withTransactions(driver.bus);
    this.#sessions = sessions;
    const { scheduler } = driver;
    this.#runtime = new Runtime([running], bus, { scheduler, report: event => this.events.push(event) });
  }

  static async start(make: (driver: PipelineDriver) => Pipeline): Promise<Exact> {
    const driver = await PipelineDriver.start({ topics, pipelines: () => [] });
    const world = new Exact(driver, make(driver));
    await world.#runtime.start();
    return world;
  }

  get session(): StubSession {
    const session = this.#sessions[0];
    if (session === undefined || this.#sessions.length > 1) throw new Error('not one session');
    return session;
  }

  get outputs(): string[] {
    return this.driver.values(shouted);
  }

  /** What made the pipeline begin anew, and after how long. */
  get failures(): (readonly [string, number])[] {
    return this.events.flatMap(event =>
      event.kind === 'failed' ? [[event.reason, event.retryInMs] as const] : [],
    );
  }

  say(...said: readonly string[]): void {
    for (const word of said) this.driver.give(words, word, { key: 'k', partition: 0 });
  }

  /** Lets so many ms go by, with whatever promises wait for each other in them. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 5) {
      this.driver.runFor(Math.min(5, left));
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
  }

  drain(): Promise<unknown> {
    return this.driver.during(this.#runtime.drain(5_000));
  }

  stop(): void {
    this.#runtime.stop();
  }
}

describe('an exactly-once pipeline', () => {
  it('shows outputs, state and offsets together, once in each interval', async () => {
    const world = await Exact.start(() => counting(exact));
    world.say('a', 'b');
    await world.pass(95);
    expect([world.outputs, world.session.log]).toEqual([[], []]);
    await world.pass(10);
    // Two outputs, the state of the key, and the end of a snapshot for each partition.
    expect(world.session.log).toEqual(['commit 5']);
    expect(world.outputs).toEqual(['k a 1', 'k b 2']);
    expect(await committed(world.driver, 'count')).toEqual([2, 0]);
    await world.pass(1_000);
    expect(world.session.log).toEqual(['commit 5']);
  });

  it('stores state with the offsets that are committed with it, past what the backend has filtered out', async () => {
    const world = await Exact.start(() => counting(exact));
    world.say('a');
    await world.pass(50);
    // Marks of transactions, which no pipeline sees.
    world.session.settledUpTo(words.name, 0, 4);
    await world.pass(60);
    expect(await committed(world.driver, 'count')).toEqual([1, 0]);
    const { commit } = await firstValueFrom(readStoredUnit(world.driver.bus, 'count', 0));
    expect(commit?.offsets).toEqual({ [`${words.name}/0`]: 4 });
  });

  it('commits nothing that is not whole: no message is taken until those in flight are settled', async () => {
    const world = await Exact.start(driver =>
      shouting(
        exact,
        slowly(() => driver, 50),
      ),
    );
    world.say('a');
    await world.pass(80);
    world.say('b');
    await world.pass(30);
    world.say('c');
    expect(world.session.log).toEqual([]);
    await world.pass(20);
    // Only b was in flight when the interval was over; c comes when the commit is sealed.
    expect(world.outputs).toEqual(['A', 'B']);
    await world.pass(100);
    expect(world.outputs).toEqual(['A', 'B', 'C']);
  });

  it('takes messages again while its commit is under way, and commits them with the next', async () => {
    const world = await Exact.start(() => shouting(exact));
    const gate = Promise.withResolvers<undefined>();
    world.session.gate = gate.promise.then(() => undefined);
    world.say('a');
    await world.pass(110);
    world.say('b');
    await world.pass(300);
    expect([world.session.log, world.session.open.length, world.outputs]).toEqual([['commit 1'], 1, []]);
    world.session.gate = undefined;
    gate.resolve(undefined);
    await world.pass(5);
    expect(world.outputs).toEqual(['A']);
    await world.pass(100);
    expect(world.outputs).toEqual(['A', 'B']);
  });

  it('begins anew from the last commit, with its state, when a commit fails', async () => {
    const world = await Exact.start(() => counting(exact));
    world.say('a');
    await world.pass(110);
    world.session.failure = new BusError('unavailable', 'the coordinator is away');
    world.say('b');
    await world.pass(110);
    expect(world.failures).toEqual([['the coordinator is away', 1_000]]);
    expect(world.outputs).toEqual(['k a 1']);
    await world.pass(1_200);
    expect(world.session.log.filter(line => line.startsWith('abort'))).toHaveLength(1);
    expect(world.outputs).toEqual(['k a 1', 'k b 2']);
  });

  it('stores what has changed, and not again what it found, when it begins anew', async () => {
    const world = await Exact.start(() => counting({ ...exact, expireAfterMs: 1_000 }));
    for (const [i, key] of ['a', 'b', 'c', 'd'].entries())
      world.driver.give(words, 'x', { key, partition: 0, timestamp: i });
    await world.pass(110);
    world.session.broken$.next(new BusError('fenced', 'gone'));
    await world.pass(10);
    world.driver.give(words, 'y', { key: 'b', partition: 0, timestamp: 10 });
    await world.pass(110);
    // An output, one state of four, and the end of a snapshot for each partition.
    expect(world.session.log.filter(line => line !== 'abort 0')).toEqual(['commit 10', 'commit 4']);
    expect(world.outputs).toContain('b y 2');
    // By now all others have expired: three states are gone, and one has changed.
    world.driver.give(words, 'z', { key: 'b', partition: 0, timestamp: 1_009 });
    await world.pass(110);
    expect(world.session.log.at(-1)).toBe('commit 7');
    const { keys } = await firstValueFrom(readStoredUnit(world.driver.bus, 'count', 0));
    expect(keys.filter(key => key.startsWith('state/'))).toHaveLength(1);
    world.session.broken$.next(new BusError('fenced', 'gone'));
    world.driver.give(words, 'z', { key: 'a', partition: 0, timestamp: 1_009 });
    world.driver.give(words, 'z', { key: 'b', partition: 0, timestamp: 1_009 });
    await world.pass(300);
    const last = world.outputs.filter(output => output.includes(' z '));
    expect(last.toSorted()).toEqual(['a z 1', 'b z 3', 'b z 4']);
  });

  // Kills: offsets committed without the state, and the outputs, that stand for them.
  it('commits nothing when its state is refused, and does it again', async () => {
    const world = await Exact.start(() => counting(exact));
    world.say('a');
    await world.pass(50);
    world.session.refuses = topic => topic.endsWith('-changelog');
    await world.pass(60);
    expect(world.session.log).toEqual(['abort 1']);
    await world.pass(1_500);
    expect(world.session.log).toEqual(['abort 1', 'commit 4']);
    expect(world.outputs).toEqual(['k a 1']);
  });

  it('begins anew at once where others have its partitions', async () => {
    const world = await Exact.start(() => counting(exact));
    world.say('a');
    await world.pass(50);
    world.session.broken$.next(new BusError('fenced', 'words[0] went to another member'));
    await world.pass(200);
    expect(world.failures).toEqual([['words[0] went to another member', 0]]);
    expect(world.outputs).toEqual(['k a 1']);
  });

  it('aborts what is not settled within half of the time-out, says what to do, and does it again', async () => {
    let tookMs = 60_000;
    const world = await Exact.start(({ scheduler }) =>
      shouting(
        { ...exact, transactionTimeoutMs: 6_000 },
        retryWithBackoff(
          word => (word === 'slow' ? timer(tookMs, scheduler).pipe(map(() => 'SLOW')) : word.toUpperCase()),
          { scheduler, timeoutMs: 120_000 },
        ),
      ),
    );
    world.say('slow');
    world.driver.give(words, 'quick', { key: 'other', partition: 0 });
    await world.pass(3_050);
    expect([world.session.open.length, world.failures]).toEqual([1, []]);
    tookMs = 10;
    await world.pass(100);
    expect(world.failures).toEqual([
      [expect.stringContaining('within 3000 ms, half the transaction'), 1_000],
    ]);
    expect(world.outputs).toEqual([]);
    await world.pass(1_200);
    expect(world.outputs.toSorted()).toEqual(['QUICK', 'SLOW']);
  });

  it('lets nothing that an earlier run still sends into a later transaction', async () => {
    const world = await Exact.start(driver =>
      shouting(
        exact,
        slowly(() => driver, 400),
      ),
    );
    world.say('a');
    await world.pass(200);
    world.session.broken$.next(new BusError('fenced', 'gone'));
    await world.pass(350);
    // The first attempt would be done by now; the second is not.
    expect([world.session.open, world.outputs]).toEqual([[], []]);
    await world.pass(400);
    expect(world.outputs).toEqual(['A']);
  });

  it('commits sooner when members of its group wait for that', async () => {
    const world = await Exact.start(() => shouting(exact));
    world.say('a');
    await world.pass(20);
    world.session.hurry$.next(undefined);
    await world.pass(5);
    expect(world.outputs).toEqual(['A']);
  });

  it('commits dead letters with the rest, and what was retried in memory before', async () => {
    let failures = 2;
    const world = await Exact.start(({ scheduler }) =>
      shouting(
        exact,
        retryWithBackoff(
          word => {
            if (word === 'bad' || (word === 'once' && failures-- > 0)) throw new Error('not now');
            return word.toUpperCase();
          },
          { jitter: 'none', scheduler },
        ),
      ),
    );
    world.say('once', 'fine');
    world.driver.give(words, 'bad', { key: 'other', partition: 0 });
    await world.pass(250);
    expect([world.outputs, world.driver.messages(deadLetters)]).toEqual([[], []]);
    await world.pass(1_000);
    expect(world.outputs).toEqual(['ONCE', 'FINE']);
    expect(world.driver.messages(deadLetters)).toHaveLength(1);
    expect(await committed(world.driver, 'shout')).toEqual([3, 0]);
  });

  it('commits what is settled when it drains', async () => {
    const world = await Exact.start(() => counting(exact));
    world.say('a');
    await world.pass(10);
    await world.drain();
    expect(world.outputs).toEqual(['k a 1']);
    expect(world.session.log.at(-1)).toBe('close');
  });

  it('waits with no commit for what waits in a join', async () => {
    const world = await Exact.start(() => joining());
    world.driver.give(words, 'early', { key: 'k', partition: 0, timestamp: 10 });
    world.driver.mark(deadLetters, 20);
    world.driver.give(words, 'late', { key: 'k', partition: 0, timestamp: 90 });
    await world.pass(200);
    expect([world.outputs, world.failures]).toEqual([['early'], []]);
    expect(await committed(world.driver, 'join')).toEqual([1, 0]);
    world.driver.mark(deadLetters, 100);
    await world.pass(200);
    expect(world.outputs).toEqual(['early', 'late']);
  });

  // Kills: a marker of one of several writers, acked as it comes behind what waits, taken for work in progress.
  it('waits with no commit for markers that move nobody on, behind what waits in a join', async () => {
    const world = await Exact.start(() => joining());
    world.driver.give(words, 'late', { key: 'k', partition: 0, timestamp: 90 });
    world.driver.mark(words, new Marker('time', 95, undefined, { covered: [0], of: 2 }), 0);
    world.driver.mark(deadLetters, 20);
    world.driver.give(words, 'early', { key: 'k', partition: 1, timestamp: 10 });
    await onlyLateWaits(world, 200);
  });

  // Kills: what a filter let go taken for work in progress, and the transaction given up over and over.
  it('waits with no commit for what was filtered out behind what waits in a join', async () => {
    const world = await Exact.start(() => joining(filterValues(word => word !== 'no')));
    world.driver.mark(deadLetters, 20);
    world.driver.give(words, 'late', { key: 'k', partition: 0, timestamp: 90 });
    world.driver.give(words, 'no', { key: 'k', partition: 0, timestamp: 91 });
    world.driver.give(words, 'early', { key: 'k', partition: 1, timestamp: 10 });
    await onlyLateWaits(world, 6_000);
  });

  // Kills: what is filtered out after the commit has begun seen only when something else happens.
  it('sees what is filtered out slowly behind what waits in a join', async () => {
    const world = await Exact.start(({ scheduler }) =>
      joining(words$ =>
        words$.pipe(
          concatMap(word =>
            (word.ok && word.value === 'no' ? timer(150, scheduler) : of(0)).pipe(map(() => word)),
          ),
          filterValues(word => word !== 'no'),
        ),
      ),
    );
    world.driver.mark(deadLetters, 20);
    world.driver.give(words, 'early', { key: 'k', partition: 1, timestamp: 10 });
    world.driver.give(words, 'late', { key: 'k', partition: 0, timestamp: 90 });
    world.driver.give(words, 'no', { key: 'k', partition: 0, timestamp: 91 });
    await world.pass(400);
    expect([world.outputs, world.failures]).toEqual([['early'], []]);
  });

  // Kills: what was published before a filter let it go committed without its offset, to be published again.
  it('takes nothing for dropped that a filter let go behind something that has published for it', async () => {
    const world = await Exact.start(({ scheduler }) =>
      pipeline(
        'late',
        ({ source, publisher, onFailure, meter }) =>
          source(words).pipe(
            decode(words),
            delayUntil((_, { timestamp }) => timestamp, { scheduler, meter }),
            publishTo(shouted, publisher),
            filterValues(word => word !== 'no'),
            onFailure(),
          ),
        exact,
      ),
    );
    world.driver.give(words, 'a', { key: 'k', partition: 0, timestamp: 1_000 });
    world.driver.give(words, 'no', { key: 'other', partition: 0, timestamp: 10 });
    await world.pass(900);
    expect(world.session.open).toHaveLength(1);
    expect([world.outputs, await committed(world.driver, 'late')]).toEqual([[], [0, 0]]);
    await world.pass(200);
    expect([world.outputs, await committed(world.driver, 'late')]).toEqual([
      ['no', 'a'],
      [2, 0],
    ]);
  });

  // Kills: a chain with branches, in which nobody sees what has published, committed while its deliveries wait.
  it('waits for what waits in a chain of which it does not know all operators', async () => {
    const world = await Exact.start(({ scheduler }) =>
      pipeline(
        'late',
        ({ source, publisher, onFailure, meter }) =>
          merge(source(words).pipe(decode(words), publishTo(shouted, publisher)), NEVER).pipe(
            delayUntil((_, { timestamp }) => timestamp, { scheduler, meter }),
            onFailure(),
          ),
        exact,
      ),
    );
    await allWaits(world);
  });

  it('waits for what waits behind something that has published for it already', async () => {
    const world = await Exact.start(({ scheduler }) =>
      pipeline(
        'late',
        ({ source, publisher, onFailure, meter }) =>
          source(words).pipe(
            decode(words),
            publishTo(shouted, publisher),
            delayUntil((_, { timestamp }) => timestamp, { scheduler, meter }),
            onFailure(),
          ),
        exact,
      ),
    );
    await allWaits(world);
  });

  it('is refused with a batch that only its count lets go', async () => {
    const batching = pipeline(
      'batching',
      ({ source, onFailure }) => source(words).pipe(decode(words), batch({ count: 10 }), onFailure()),
      exact,
    );
    const refusal = Exact.start(() => batching);
    await expect(refusal).rejects.toThrow(OptionError);
    await expect(refusal).rejects.toThrow(/count of batch.*timeMs/);
  });
});

/** For so long a join's `late` holds up no commit but that of its partition, whose two messages are then committed. */
async function onlyLateWaits(world: Exact, ms: number): Promise<void> {
  await world.pass(ms);
  expect([world.outputs, world.failures]).toEqual([['early'], []]);
  expect(await committed(world.driver, 'join')).toEqual([0, 1]);
  world.driver.mark(deadLetters, 100);
  await world.pass(200);
  expect([world.outputs, await committed(world.driver, 'join')]).toEqual([
    ['early', 'late'],
    [2, 1],
  ]);
}

/** Of a message that waits for its time nothing is committed until that has come. */
async function allWaits(world: Exact): Promise<void> {
  world.driver.give(words, 'a', { key: 'k', partition: 0, timestamp: 1_000 });
  await world.pass(900);
  expect([world.outputs, await committed(world.driver, 'late')]).toEqual([[], [0, 0]]);
  await world.pass(200);
  expect([world.outputs, await committed(world.driver, 'late')]).toEqual([['a'], [1, 0]]);
}

/** Words wait until the other topic's marker has come so far. */
function joining(
  before: OperatorFunction<Delivery<string | Marker>, Delivery<string | Marker>> = identity,
): Pipeline {
  return pipeline(
    'join',
    ({ source, table, publisher, onFailure, meter, scheduler }) =>
      source(words).pipe(
        decode(words, { markers: true }),
        before,
        joinAsOf(
          table(deadLetters).pipe(decode(deadLetters, { name: 'decode-table', markers: true })),
          word => word,
          { scope: 'broadcast', meter, scheduler },
        ),
        mapValues(word => (isMarker(word) ? '' : word)),
        publishTo(shouted, publisher),
        onFailure(),
      ),
    { ...exact, watermarkDelayMs: false },
  );
}
