import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { createEventBus } from '../../src/backends.ts';
import { randomFrom } from '../../src/feeds/simulator/random.ts';
import { type Difference, type Outcome, differences, readOutcome } from './outcome.ts';
import { writeRecordedDays } from './recorded-days.ts';
import { Workers } from './workers.ts';

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface ChaosPlan {
  readonly brokers: readonly string[];
  readonly seed: number;
  readonly workers: number;
  readonly kills: number;
  readonly symbols: readonly string[];
  readonly days: number;
  /** After how long without a sign of life a worker's partitions go to the others, ms. */
  readonly sessionTimeoutMs: number;
}

export interface ChaosReport {
  readonly differences: Readonly<Record<string, Difference>>;
  readonly signals: number;
  readonly exitCodes: readonly (number | null)[];
  /** What workers warned of. */
  readonly said: string;
}

/** Nothing is written for so long after partitions have moved, ms. */
const quietMs = 8_000;

/**
 * Runs recorded days through worker processes on Kafka, killing some of them with SIGKILL at moments that the seed
 * says, and compares every topic with a run of one process in a folder.
 */
export async function runKilledWorkers(plan: ChaosPlan): Promise<ChaosReport> {
  const folder = mkdtempSync(join(tmpdir(), 'killed-workers-'));
  const feed = join(folder, 'feed');
  mkdirSync(feed);
  writeRecordedDays(feed, plan.symbols, plan.days);
  const workers = new Workers(folder, plan.brokers, feed, plan.sessionTimeoutMs);
  const bus = createEventBus({ kind: 'kafka', brokers: plan.brokers });
  try {
    const wanted = await calmRun(feed, join(folder, 'calm'));
    for (let n = 0; n < plan.workers; n++) workers.start();
    const random = randomFrom(plan.seed);
    for (let kill = 0; kill < plan.kills; kill++) {
      await wait(2_000 + random() * 5_000);
      await workers.replace(Math.floor(random() * workers.count));
    }
    await bus.start();
    await untilNothingMoves(bus, plan.sessionTimeoutMs + quietMs);
    const exitCodes = await workers.stop();
    const got = await readOutcome(bus);
    const signals = [...(wanted.get('cryptorun-signals')?.byKey.values() ?? [])].flat().length;
    return { differences: differences(wanted, got), signals, exitCodes, said: workers.said };
  } finally {
    workers.killAll();
    await bus.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function calmRun(feed: string, dir: string): Promise<Outcome> {
  const args = [program, 'start', '--once', '--plain', '--feed', `file:${feed}`, '--dir', dir];
  await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 });
  const bus = createEventBus({ kind: 'embedded', dir, readOnly: true });
  await bus.start();
  try {
    return await readOutcome(bus);
  } finally {
    await bus.stop();
  }
}

/** Until the job has written something and then nothing more for a while: longer than any session time-out. */
async function untilNothingMoves(bus: EventBus, forMs: number): Promise<void> {
  const topics = ['market-bars', 'momentum-scores', 'gate-evaluations', 'notifications'];
  const written = async (): Promise<number> => {
    const ends = await Promise.all(topics.map(topic => bus.endOffsets(`cryptorun-${topic}`)));
    return ends.flat().reduce((sum, end) => sum + end, 0);
  };
  let [before, sinceMs] = [await written(), 0];
  while (before === 0 || sinceMs < forMs) {
    await wait(1_000);
    const now = await written();
    sinceMs = now === before ? sinceMs + 1_000 : 0;
    before = now;
  }
}
