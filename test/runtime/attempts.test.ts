import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDeadLetter } from '../../src/core/dead-letter.ts';
import { Trying, retries } from './trying.ts';
import { changelogOf } from '../../src/runtime/snapshot-format.ts';
import { deadLetters } from './words.ts';
import { propertyRuns } from '../property-runs.ts';

const changelog = changelogOf('try');

describe('attempts at what waits in memory', () => {
  it('go on after a kill where they were written last', async () => {
    const trying = await Trying.begin();
    trying.say('a!');
    trying.driver.runFor(110);
    expect(trying.calls).toEqual(['a! 1', 'a! 2']);
    // The second has failed 10 ms ago, and is not written yet.
    await trying.kill();
    expect(trying.calls.splice(0)).toEqual(['a! 1', 'a! 2', 'a! 2']);
    trying.driver.runFor(30);
    await trying.kill();
    // It waits on for the rest of its 200 ms.
    trying.driver.runFor(165);
    expect(trying.calls).toEqual([]);
    trying.driver.runFor(10);
    expect(trying.calls).toEqual(['a! 3']);
  });

  it('are all stored by a drain, with the time at which the first failed', async () => {
    const trying = await Trying.begin();
    trying.say('a!');
    trying.driver.runFor(100);
    await trying.drainAndStart();
    expect(trying.calls).toEqual(['a! 1', 'a! 2']);
    trying.driver.runFor(60_000);
    expect(trying.calls).toEqual([1, 2, 3, 4, 5, 6, 7].map(n => `a! ${n}`));
    const letters = trying.driver.messages(deadLetters).flatMap(message => readDeadLetter(message) ?? []);
    expect(letters).toMatchObject([{ attempts: 7, firstFailureAt: 0 }]);
    expect(trying.stored.size).toBe(0);
  });

  it('move with their partition, there and back', async () => {
    const trying = await Trying.begin();
    for (const word of ['a!', 'b!', 'c!', 'd!']) trying.say(word);
    trying.driver.runFor(100);
    await trying.join();
    trying.driver.runFor(200);
    await trying.leave();
    trying.driver.runFor(60_000);
    for (const word of ['a!', 'b!', 'c!', 'd!']) {
      const calls = trying.calls.filter(call => call.startsWith(word));
      expect(calls).toEqual([1, 2, 3, 4, 5, 6, 7].map(n => `${word} ${n}`));
    }
  });

  it('are not written where nothing fails, nor where it has passed by then', async () => {
    const trying = await Trying.begin();
    for (let n = 0; n < 100; n++) trying.say(`w${n}`);
    trying.driver.runFor(60_000);
    expect(trying.driver.messages(changelog).filter(({ payload }) => payload !== null)).toEqual([]);
  });

  it('are forgotten once the message has passed, also where the process ended in between', async () => {
    const trying = await Trying.begin();
    trying.say('a!');
    trying.driver.runFor(50);
    expect([...trying.stored.keys()]).toEqual([trying.placeOf('a!')]);
    trying.healed.add('a!');
    // It passes, and the process ends before that is written.
    trying.driver.runFor(60);
    await trying.kill();
    expect(trying.stored.size).toBe(1);
    trying.say('b', 'a!');
    trying.driver.runFor(20_000);
    expect(trying.stored.size).toBe(0);
  });

  it('never go back over drains and rebalances, over a kill not before what was written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 25 }), async actions => {
        const trying = await Trying.begin();
        const check = new AttemptCheck(trying);
        for (const act of actions) await check.act(act);
        trying.driver.runFor(600_000);
        check.look();
        // What comes behind a message shows that it is settled.
        for (const key of ['k0', 'k1', 'k2', 'k3', 'k4']) trying.say(`end ${key}`, key);
        trying.driver.runFor(20_000);
        expect(trying.stored.size).toBe(0);
      }),
      propertyRuns(200),
    );
  }, 60_000);
});

type Action =
  | { readonly kind: 'say' | 'heal' | 'kill' | 'drain' | 'share' }
  | { readonly kind: 'pass'; readonly ms: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc
    .constantFrom(...(['say', 'say', 'say', 'heal', 'kill', 'drain', 'share'] as const))
    .map(kind => ({ kind })),
  fc.constantFrom(1, 10, 30, 100, 250, 1_000).map(ms => ({ kind: 'pass', ms }) as const),
);

/** Compares the number of each attempt with those before it. */
class AttemptCheck {
  readonly #trying: Trying;
  /** By word, the last attempt there was. */
  readonly #last = new Map<string, number>();
  /** By word, what the next attempt must be beyond. */
  readonly #known = new Map<string, number>();
  #seen = 0;
  #said = 0;

  constructor(trying: Trying) {
    this.#trying = trying;
  }

  async act(act: Action): Promise<void> {
    const trying = this.#trying;
    if (act.kind === 'pass') trying.driver.runFor(act.ms);
    else if (act.kind === 'say') trying.say(`w${this.#said++}!`, `k${this.#said % 5}`);
    else if (act.kind === 'heal') trying.healed.add(`w${this.#said - 1}!`);
    else if (act.kind === 'share') await (trying.isShared ? trying.leave() : trying.join());
    else await this.#restart(act.kind);
    this.look();
  }

  async #restart(kind: 'kill' | 'drain'): Promise<void> {
    const trying = this.#trying;
    if (trying.isShared) await trying.leave();
    this.look();
    if (kind === 'drain') return trying.drainAndStart();
    const { stored } = trying;
    for (const word of this.#last.keys()) this.#known.set(word, stored.get(trying.placeOf(word))?.count ?? 0);
    return trying.kill();
  }

  look(): void {
    const { calls } = this.#trying;
    for (; this.#seen < calls.length; this.#seen++) {
      const [word = '', attempt = ''] = (calls[this.#seen] ?? '').split(' ');
      const count = Number(attempt);
      expect(count).toBeGreaterThan(this.#known.get(word) ?? 0);
      expect(count).toBeLessThanOrEqual((this.#last.get(word) ?? 0) + 1);
      this.#last.set(word, count);
      // What has passed or died begins anew where it comes again, for an earlier message held its commit up.
      const isOver = count > retries || this.#trying.healed.has(word);
      this.#known.set(word, isOver ? 0 : count);
    }
  }
}
