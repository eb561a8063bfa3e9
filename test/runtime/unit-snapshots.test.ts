import * as t from 'io-ts';
import { firstValueFrom } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEventBus } from '../../src/backends.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { MemoryKeyedState } from '../../src/core/memory-keyed-state.ts';
import { jsonState } from '../../src/core/state.ts';
import { changelogOf } from '../../src/runtime/snapshot-format.ts';
import { StateUnits } from '../../src/runtime/state-units.ts';
import { readStoredUnit } from '../../src/runtime/stored-state.ts';
import { UnitSnapshots } from '../../src/runtime/unit-snapshots.ts';

const codec = jsonState('1', t.number);

/** A process that holds the unit: what it has counted, and how far it has come. */
class Process {
  readonly #states = new MemoryKeyedState<number>();
  readonly #bus: EventBus;
  readonly #snapshots: UnitSnapshots;
  offset = 0;

  private constructor(bus: EventBus, snapshots: UnitSnapshots) {
    this.#bus = bus;
    this.#snapshots = snapshots;
  }

  static async takesOver(bus: EventBus): Promise<Process> {
    const stored = await firstValueFrom(readStoredUnit(bus, 'p', 0));
    const process = new Process(bus, new UnitSnapshots('p', 0, new StateUnits('many'), stored, false));
    for (const { key, state } of stored.states) process.#states.create(0, key, Number(state)).dirty = false;
    process.offset = stored.commit?.offsets['in/0'] ?? 0;
    return process;
  }

  count(...keys: readonly string[]): void {
    for (const key of keys) {
      const entry = this.#states.get(0, key) ?? this.#states.create(0, key, 0);
      entry.state++;
      entry.dirty = true;
    }
    this.offset += keys.length;
  }

  /** @param how whether the end is stored and whether that is known */
  async stores(how: 'known' | 'unknown' | 'not, as far as is known' = 'known'): Promise<void> {
    const operators = new Map([['count', { codec, states: this.#states }]]);
    const { states, commit, cleaning, stored, uncertain } = this.#snapshots.capture(operators, {
      offsets: { 'in/0': this.offset },
    });
    await this.#bus.publishBatch(states);
    if (how !== 'not, as far as is known') await this.#bus.publish(commit);
    if (how !== 'known') {
      uncertain();
      return;
    }
    stored();
    await this.#bus.publishBatch(cleaning);
  }
}

describe('snapshots of a unit', () => {
  let bus: EventBus;
  beforeEach(async () => {
    bus = createEventBus({ kind: 'stub' });
    await bus.start();
    const { name, settings } = changelogOf('p');
    await bus.createTopic({ name, settings });
    return () => bus.stop();
  });
  const read = async (): Promise<unknown> => {
    const { commit, states } = await firstValueFrom(readStoredUnit(bus, 'p', 0));
    return {
      offset: commit?.offsets['in/0'],
      ...Object.fromEntries(states.map(({ key, state }) => [key, state])),
    };
  };

  it('of who has taken over count, however often who held it before begins anew', async () => {
    const before = await Process.takesOver(bus);
    before.count('a', 'b');
    await before.stores();
    const after = await Process.takesOver(bus);
    after.count('a', 'a');
    await after.stores();

    before.count('b');
    await before.stores('not, as far as is known');
    await before.stores('unknown');
    await before.stores();

    expect(await read()).toEqual({ offset: 4, a: 3, b: 1 });
  });

  it.each(['unknown', 'not, as far as is known'] as const)(
    'are whole again after one of which it is %s that it is stored',
    async how => {
      const process = await Process.takesOver(bus);
      process.count('a', 'b');
      await process.stores();
      process.count('a');
      await process.stores(how);
      await process.stores();
      expect(await read()).toEqual({ offset: 3, a: 2, b: 1 });
      process.count('b');
      await process.stores();
      expect(await read()).toEqual({ offset: 4, a: 2, b: 2 });
    },
  );

  it.each([false, true])('look at nothing but what has changed, in transactions: %s', transacted => {
    const states = new MemoryKeyedState<number>();
    const stored = { commit: undefined, states: [], keys: [] };
    const snapshots = new UnitSnapshots('p', 0, new StateUnits('many'), stored, transacted);
    const operators = new Map([['count', { codec, states }]]);
    const capture = (): number => snapshots.capture(operators, { offsets: {} }).states.length;
    for (let key = 0; key < 100; key++) states.create(0, `k${key}`, key);
    expect(capture()).toBe(100);
    states.entries = () => expect.unreachable('all keys were walked');
    const [first, second] = [states.get(0, 'k1'), states.get(0, 'k2')];
    if (first) first.dirty = true;
    if (second) second.dirty = true;
    states.delete(0, 'k3');
    expect(capture()).toBe(3);
    expect(capture()).toBe(0);
  });

  it('count of two that took over from the same where they have come further', async () => {
    const [one, other] = [await Process.takesOver(bus), await Process.takesOver(bus)];
    one.count('a', 'a', 'a');
    other.count('a');
    await one.stores();
    await other.stores();

    expect(await read()).toEqual({ offset: 3, a: 3 });
  });
});
