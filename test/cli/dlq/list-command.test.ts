import { describe, expect, it } from 'vitest';
import { letterQueries } from '../../../src/cli/dlq/letter-queries.ts';
import { listLetters } from '../../../src/cli/dlq/list-command.ts';
import type { LetterSelection } from '../../../src/dlq/letter-selection.ts';
import { deadLetterTopic } from '../../../src/core/dead-letter.ts';
import { busWith, letterOf, publish } from '../../dlq/letters.ts';

/** What a list of 2,600 letters, every other of the pipeline `ticks`, prints. */
async function listed(
  limit: number | undefined,
  { json = false, selection = {} }: { readonly json?: boolean; readonly selection?: LetterSelection } = {},
): Promise<{
  readonly out: readonly string[];
  readonly err: readonly string[];
  readonly asked: Set<string>;
}> {
  const bus = await busWith(deadLetterTopic);
  const letters = Array.from({ length: 2_600 }, (_, n) =>
    letterOf({ n, key: `k${n}`, pipeline: n % 2 === 0 ? 'bars' : 'ticks' }),
  );
  await publish(bus, letters);
  const [out, err, asked]: [string[], string[], Set<string>] = [[], [], new Set()];
  const terminal = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    stream: { write: () => undefined, columns: 120, rows: 40 },
    isInteractive: false,
    colour: false,
    confirm: () => Promise.resolve(true),
  };
  const ask = async (name: string, args: readonly string[]): Promise<unknown> => {
    asked.add(/"want":"(\w+)"/.exec(args[0] ?? '')?.[1] ?? '');
    return letterQueries[name]?.(bus, args, undefined);
  };
  const connection = { pid: undefined, ask, close: () => Promise.resolve() };
  await listLetters({ connection, topic: deadLetterTopic, selection }, limit, { json, terminal });
  return { out, err, asked };
}

const rowsOf = (out: readonly string[]): number[] => out.map(text => text.split('\n').length - 1);

describe('dlq list', () => {
  it('shows the first hundred, and counts the others without fetching them', async () => {
    const { out, err, asked } = await listed(undefined);
    expect(rowsOf(out)).toEqual([100]);
    expect(err).toEqual(['The first 100 of 2,600; --limit N shows more, groups counts all.']);
    expect([...asked]).toEqual(['letters', 'count']);
  });

  it('counts only what is meant', async () => {
    const { err } = await listed(700, { selection: { pipeline: 'ticks' } });
    expect(err).toEqual(['The first 700 of 1,300; --limit N shows more, groups counts all.']);
  });

  it('holds one table of many letters at a time', async () => {
    const { out, err } = await listed(2_600);
    expect(rowsOf(out)).toEqual([1_000, 1_000, 600]);
    expect(err).toEqual([]);
  });

  it('gives all of them as JSON, one a line', async () => {
    const { out, err, asked } = await listed(undefined, { json: true });
    expect(out).toHaveLength(2_600);
    expect(err).toEqual([]);
    expect([...asked]).toEqual(['letters']);
  });
});
