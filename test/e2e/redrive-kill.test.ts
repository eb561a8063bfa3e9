import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { embeddedBus } from '../../src/bus/embedded/embedded.ts';
import { deadLetterTopic } from '../../src/core/dead-letter.ts';
import { historyOf } from '../../src/core/message-history.ts';
import type { Message } from '../../src/core/message.ts';
import { defaultTopicSettings } from '../../src/core/topic.ts';
import { idOf, letterOf, publish, storedIn } from '../dlq/letters.ts';
import { topicSize } from './topic-size.ts';

/*
 * SEEDS=200 npx vitest run test/e2e/redrive-kill.test.ts -t 'loses nothing' kills redrives of 200 folders in about
 * five minutes, and prints every tenth what was lost, sent twice and reordered; without it a few are enough to see
 * that nothing is broken.
 */
const folder = mkdtempSync(join(tmpdir(), 'redrive-kill-'));
const seeds = Number(process.env['SEEDS'] ?? 3);
const atOnce = 2;
/** A second's work, killed somewhere in between. */
const letters = 1_000;
const rate = '1000';
/** Slow enough for what is committed to be durable before the kill. */
const slowRate = '350';
const target = 'prices';

/** From 0 to below 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = (seed + 1) * 2_654_435_761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 3_266_489_917) >>> 0;
    return state / 2 ** 32;
  };
}

async function prepare(dir: string): Promise<void> {
  const bus = embeddedBus({ dir });
  await bus.start();
  for (const name of [target, deadLetterTopic]) {
    await bus.createTopic({ name, settings: { ...defaultTopicSettings, partitions: 3 } });
  }
  const origin = { topic: target, partition: 0, offset: 0 };
  const all = Array.from({ length: letters }, (_, n) =>
    letterOf({ n, key: `k${n % 40}`, origin: { ...origin, partition: n % 3, offset: n } }),
  );
  await publish(bus, all);
  await bus.stop();
}

const cli = (dir: string): string[] => ['src/cli/main.ts', 'dlq', 'redrive', '--dir', dir, '--rate', rate];
const withBug = (dir: string): string[] => ['test/e2e/early-commit-child.ts', dir, slowRate];

function started(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

/** Kills it once so many bytes more are in the topic; false where it ended before. */
async function killedAfter(child: ChildProcess, dir: string, bytes: number): Promise<boolean> {
  const goal = topicSize(dir, target) + bytes;
  while (child.exitCode === null && topicSize(dir, target) < goal) await wait(2);
  child.kill('SIGKILL');
  await ended(child);
  return child.signalCode === 'SIGKILL';
}

interface Outcome {
  readonly seed: number;
  readonly kills: number;
  readonly lost: number;
  readonly twice: number;
  readonly reordered: number;
}

async function outcomeOf(dir: string, seed: number, kills: number): Promise<Outcome> {
  const bus = embeddedBus({ dir, readOnly: true });
  await bus.start();
  const sent = storedIn(bus, target);
  await bus.stop();
  const first = new Map<string, Message>();
  for (const message of sent) {
    const { redrive = '' } = historyOf(message);
    if (!first.has(redrive)) first.set(redrive, message);
  }
  const lost = Array.from({ length: letters }, (_, n) => idOf(n)).filter(id => !first.has(id)).length;
  const lastOf = new Map<string | null, number>();
  let reordered = 0;
  for (const { key, partition, timestamp } of first.values()) {
    const place = `${key ?? ''} ${partition}`;
    if (timestamp < (lastOf.get(place) ?? 0)) reordered++;
    lastOf.set(place, timestamp);
  }
  return { seed, kills, lost, twice: sent.length - first.size, reordered };
}

/** Runs it, kills it now and then, and lets it end. */
async function disturbed(dir: string, seed: number, argsOf: (dir: string) => string[]): Promise<Outcome> {
  const random = randomOf(seed);
  await prepare(dir);
  const whole = topicSize(dir, deadLetterTopic);
  let kills = 0;
  for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
    if (await killedAfter(started(argsOf(dir)), dir, random() * whole * 0.7)) kills++;
  }
  const last = started(argsOf(dir));
  let said = '';
  last.stderr?.on('data', chunk => (said += String(chunk)));
  expect({ seed, code: await ended(last), said }).toMatchObject({ code: 0, said: '' });
  return outcomeOf(dir, seed, kills);
}

const total = (outcomes: readonly Outcome[], what: keyof Outcome): number =>
  outcomes.reduce((sum, outcome) => sum + outcome[what], 0);

function wordsFor(outcomes: readonly Outcome[]): string {
  const sums = (['kills', 'lost', 'twice', 'reordered'] as const).map(
    what => `${total(outcomes, what)} ${what}`,
  );
  return `redrive: ${outcomes.length} of ${seeds} seeds, ${outcomes.length * letters} letters, ${sums.join(', ')}`;
}

describe('a redrive that is killed', () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it(
    'loses nothing and keeps the order of each key, wherever it is killed',
    async () => {
      const outcomes: Outcome[] = [];
      let next = 0;
      const lane = async (): Promise<void> => {
        while (next < seeds) {
          const seed = next++;
          const dir = join(folder, `seed-${seed}`);
          outcomes.push(await disturbed(dir, seed, cli));
          rmSync(dir, { recursive: true });
          if (outcomes.length % 10 === 0 || outcomes.length === seeds) console.log(wordsFor(outcomes));
        }
      };
      await Promise.all(Array.from({ length: atOnce }, lane));
      expect(outcomes.filter(({ lost, reordered }) => lost + reordered > 0)).toEqual([]);
      expect(total(outcomes, 'kills')).toBeGreaterThan(0);
    },
    60_000 + seeds * 30_000,
  );

  // The checker itself: it must see what a commit before the publish loses.
  it('loses letters once it goes past them before they are sent', async () => {
    const dir = join(folder, 'bug');
    await prepare(dir);
    expect(await killedAfter(started(withBug(dir)), dir, topicSize(dir, deadLetterTopic) / 2)).toBe(true);
    await ended(started(withBug(dir)));
    const { lost } = await outcomeOf(dir, 0, 1);
    expect(lost).toBeGreaterThan(0);
  }, 60_000);
});
