import { NEVER, firstValueFrom } from 'rxjs';
import { expect, it, vi } from 'vitest';
import { changelogOf } from '../../src/runtime/snapshot-format.ts';
import { readDecidedUnit } from '../../src/runtime/stored-state.ts';
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
