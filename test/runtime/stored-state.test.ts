import { NEVER, firstValueFrom } from 'rxjs';
import { expect, it, vi } from 'vitest';
import { changelogOf } from '../../src/runtime/snapshot-format.ts';
import { readDecidedUnit } from '../../src/runtime/stored-state.ts';
import { UnitCopy } from '../../src/runtime/unit-copy.ts';
import { messageOf } from '../../src/testing/index.ts';
import { busWhere, busWith } from '../dlq/letters.ts';

it('keeps as many copies of a changelog as of any topic', () => {
  expect(changelogOf('bars', 12).settings).toMatchObject({
    partitions: 12,
    replication: 3,
    compaction: true,
  });
});

it('does not wait for ever for a transaction that nobody ends', async () => {
  vi.useFakeTimers();
  try {
    const name = 'cryptorun-gates-changelog';
    const bus = busWhere(await busWith(name), { source: () => NEVER });
    const read = firstValueFrom(readDecidedUnit(bus, 'gates', 0)).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await read).toMatchObject({ code: 'unavailable' });
    expect(String(await read)).toMatch(/cryptorun-gates-changelog\[0\]: .*find-hanging/);
  } finally {
    vi.useRealTimers();
  }
});

it('waits for nothing more where a warm copy has come past its fence', async () => {
  const name = 'cryptorun-gates-changelog';
  const bus = busWhere(await busWith(name), { source: () => NEVER });
  const copy = new UnitCopy('gates');
  // The fence is the first message of the changelog, and whoever keeps the copy warm has seen more.
  for (const offset of [0, 1]) copy.take(messageOf({ topic: name, key: 'state', payload: null, offset }));
  const stored = await firstValueFrom(readDecidedUnit(bus, 'gates', 0, copy));
  expect(stored.commit).toBeUndefined();
});
