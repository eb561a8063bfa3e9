import { expect, it } from 'vitest';
import { Transcript, livesOf, verdictOf, type Verdict } from './crash-run.ts';

/*
 * SEEDS=200 npx vitest run test/spill/crash.test.ts prints a table of 200 folders' lives; without it a few are enough
 * to see that nothing is broken.
 */
const seeds = Number(process.env['SEEDS'] ?? 6);
const atOnce = 2;

/** The position is stored every 1000 messages, and up to 768 are read ahead: so many may come again after a kill. */
const duplicatesPerKill = 1768;

async function livesFrom(first: number, count: number, plant = 'none'): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  let next = first;
  const lane = async (): Promise<void> => {
    while (next < first + count) verdicts.push(await livesOf(next++, plant));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return verdicts;
}

const total = (verdicts: readonly Verdict[], what: keyof Verdict): number =>
  verdicts.reduce((sum, verdict) => sum + verdict[what], 0);

function print(verdicts: readonly Verdict[]): void {
  const columns = ['kills', 'accepted', 'stored', 'setAside', 'lost', 'duplicates', 'reordered'] as const;
  console.log(['seed', ...columns].map(name => name.padStart(10)).join(''));
  for (const verdict of [...verdicts].sort((a, b) => a.seed - b.seed))
    console.log([verdict.seed, ...columns.map(name => verdict[name])].map(n => `${n}`.padStart(10)).join(''));
  console.log(
    ['total', ...columns.map(name => total(verdicts, name))].map(n => `${n}`.padStart(10)).join(''),
  );
}

it(
  'killed at any moment, it loses nothing accepted and keeps the order',
  { timeout: 3_600_000 },
  async () => {
    const verdicts = await livesFrom(1, seeds);
    if (process.env['SEEDS'] !== undefined) print(verdicts);
    expect(verdicts.filter(({ lost, reordered }) => lost + reordered > 0)).toEqual([]);
    for (const { duplicates, kills } of verdicts)
      expect(duplicates).toBeLessThanOrEqual(kills * duplicatesPerKill);
    expect(total(verdicts, 'accepted')).toBeGreaterThan(100 * seeds);
  },
);

it.for([
  ['accepts before it writes', 'lost'],
  ['commits before it publishes', 'lost'],
  ['sends a key at once', 'reordered'],
] as const)('the checker finds a publisher that %s', { timeout: 120_000 }, async ([plant, fault]) => {
  let found = 0;
  for (let seed = 1; seed <= 12 && found === 0; seed += 2)
    found = total(await livesFrom(seed, 2, plant), fault);
  expect(found).toBeGreaterThan(0);
});

it('the checker counts what is lost, doubled and out of order', () => {
  const transcript = new Transcript();
  for (const line of ['p 30', 'a 0', 'a 7', 'a 14', 'a 21', 'b 7', 'b 0', 'b 0', 'f 21'])
    transcript.note(line);
  expect(verdictOf(1, transcript)).toMatchObject({ lost: 1, duplicates: 1, reordered: 1, setAside: 1 });
});
