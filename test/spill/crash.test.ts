import { expect, it } from 'vitest';
import { type End, Transcript, livesOf, verdictOf, type Verdict } from './crash-run.ts';

/*
 * SEEDS=200 npx vitest run test/spill/crash.test.ts ends the lives of 200 folders, once by kill and once by a loss of
 * power, and prints a table of each; without it a few are enough to see that nothing is broken.
 */
const seeds = Number(process.env['SEEDS'] ?? 6);
const atOnce = 2;

/** The position is stored every 1000 messages, and up to 768 are read ahead: so many may come again after a kill. */
const duplicatesPerKill = 1768;

async function livesFrom(end: End, first: number, count: number, plant = 'none'): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  let next = first;
  const lane = async (): Promise<void> => {
    while (next < first + count) verdicts.push(await livesOf(next++, end, plant));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return verdicts;
}

const total = (verdicts: readonly Verdict[], what: keyof Verdict): number =>
  verdicts.reduce((sum, verdict) => sum + verdict[what], 0);

const summed = ['kills', 'accepted', 'stored', 'setAside', 'lost', 'duplicates', 'reordered'] as const;

/** All of it in a line, as it is published. */
function wordsFor(end: End, verdicts: readonly Verdict[]): string {
  const sums = summed.map(what => `${total(verdicts, what)} ${what}`);
  return `spill, ended by ${end}: ${verdicts.length} of ${seeds} seeds, ${sums.join(', ')}`;
}

function print(verdicts: readonly Verdict[]): void {
  console.log(['seed', ...summed].map(name => name.padStart(10)).join(''));
  for (const verdict of [...verdicts].sort((a, b) => a.seed - b.seed))
    console.log([verdict.seed, ...summed.map(name => verdict[name])].map(n => `${n}`.padStart(10)).join(''));
}

it.for([
  ['killed at any moment, it loses nothing accepted and keeps the order', 'kill'],
  ['without power at any moment, it loses nothing that it called durable and keeps the order', 'power'],
] as const)('%s', { timeout: 3_600_000 }, async ([, end]) => {
  const verdicts = await livesFrom(end, 1, seeds);
  if (process.env['SEEDS'] !== undefined) print(verdicts);
  console.log(wordsFor(end, verdicts));
  expect(verdicts.filter(({ lost, reordered }) => lost + reordered > 0)).toEqual([]);
  for (const { duplicates, kills } of verdicts)
    expect(duplicates).toBeLessThanOrEqual(kills * duplicatesPerKill);
  expect(total(verdicts, 'accepted')).toBeGreaterThan(100 * seeds);
});

it.for([
  ['accepts before it writes', 'kill', 'lost'],
  ['accepts before it forces to the disk', 'power', 'lost'],
  ['commits before it publishes', 'kill', 'lost'],
  ['sends a key at once', 'kill', 'reordered'],
] as const)('the checker finds a publisher that %s', { timeout: 120_000 }, async ([plant, end, fault]) => {
  let found = 0;
  for (let seed = 1; seed <= 12 && found === 0; seed += 2)
    found = total(await livesFrom(end, seed, 2, plant), fault);
  expect(found).toBeGreaterThan(0);
});

it('the checker counts what is lost, doubled and out of order', () => {
  const transcript = new Transcript();
  for (const line of ['p 30', 'a 0', 'a 7', 'a 14', 'a 21', 'b 7', 'b 0', 'b 0', 'f 21'])
    transcript.note(line);
  expect(verdictOf(1, transcript)).toMatchObject({ lost: 1, duplicates: 1, reordered: 1, setAside: 1 });
});
