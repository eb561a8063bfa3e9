import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cryptorun, cryptorun } from './cryptorun.ts';

interface Signal {
  readonly id: string;
  readonly time: number;
  readonly kind: string;
  readonly symbol: string;
}

const begin = Date.UTC(2026, 0, 5);
const hour = 3_600_000;

/** The first signal that the live view shows. */
async function firstSignal({ child }: Cryptorun): Promise<Signal | undefined> {
  if (child.stdout === null) throw new Error('the process has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const { signals } = JSON.parse(line) as { readonly signals: readonly Signal[] };
    if (signals.length > 0) return signals.at(-1);
  }
  return undefined;
}

describe('the first signal of the simulated market', () => {
  const dir = mkdtempSync(join(tmpdir(), 'first-signal-'));
  let running: Cryptorun;
  let first: Signal | undefined;

  beforeAll(async () => {
    running = cryptorun('start', '--dir', dir, '--json');
    first = await firstSignal(running);
    running.child.stdout?.resume();
  }, 60_000);
  afterAll(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
    rmSync(dir, { recursive: true, force: true });
  });

  // By the market's time: at 20,000 items a second a newcomer has read so far within five seconds.
  it('comes in the third day, early enough to be seen', () => {
    expect(first?.kind).toBe('entry');
    expect(((first?.time ?? Number.NaN) - begin) / hour).toBeLessThanOrEqual(64);
  });

  it('is explained by another process while the first one runs on', async () => {
    const { code, out, err } = await cryptorun('explain', first?.id.slice(0, 8) ?? '', '--dir', dir).ended;
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const part of [first?.symbol ?? '', 'SCORE', 'GATES  10 of 10 gates passed', 'market-bars'])
      expect(out).toContain(part);
  });

  it('leaves state that can be asked for by pipeline, operator and key', async () => {
    const { code, out } = await cryptorun('state', 'get', 'signals', '--dir', dir).ended;
    expect(code).toBe(0);
    const states = JSON.parse(out) as readonly { readonly operator: string; readonly key: string }[];
    const one = states.find(({ key }) => key.includes(first?.symbol ?? 'none'));
    expect(one).toBeDefined();
    const narrowed = await cryptorun(
      'state',
      'get',
      'signals',
      one?.operator ?? '',
      one?.key ?? '',
      '--dir',
      dir,
    ).ended;
    expect(JSON.parse(narrowed.out)).toMatchObject([{ operator: one?.operator, key: one?.key }]);
    const none = await cryptorun('state', 'get', 'no-such', '--dir', dir).ended;
    expect(none.err).toContain('see "cryptorun pipelines" for the names');
  }, 60_000);
});
