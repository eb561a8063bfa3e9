import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { losePower } from '../log/disk-model.ts';

const child = fileURLToPath(new URL('./crash-child.ts', import.meta.url));

/** What the processes of one folder have told, all of them in turn. */
export class Transcript {
  readonly accepted = new Set<number>();
  readonly refused = new Set<number>();
  readonly setAside = new Set<number>();
  /** Numbers in the order in which the broker stored them. */
  readonly stored: number[] = [];
  /** Stored, and the publisher told otherwise. */
  deceptions = 0;
  next = 0;
  kills = 0;

  note(line: string): void {
    const [kind = '', text = ''] = line.split(' ');
    const number = Number(text);
    if (kind === 'p') this.next = number;
    else if (kind === 'b') this.stored.push(number);
    else if (kind === 'a') this.accepted.add(number);
    else if (kind === 'r') this.refused.add(number);
    else if (kind === 'f') this.setAside.add(number);
    else if (kind === 't') this.deceptions++;
    else throw new Error(`the child printed "${line}"`);
  }
}

/** What the checker counted in one folder's life. */
export interface Verdict {
  readonly seed: number;
  readonly kills: number;
  readonly accepted: number;
  readonly stored: number;
  readonly setAside: number;
  /** Accepted and neither stored nor set aside. */
  readonly lost: number;
  /** Stored once more, those left out of which the broker itself said otherwise. */
  readonly duplicates: number;
  /** Stored for the first time after a later one of its key. */
  readonly reordered: number;
}

export function verdictOf(seed: number, transcript: Transcript): Verdict {
  const { accepted, setAside, stored, deceptions, kills } = transcript;
  const first = new Set(stored);
  const lost = [...accepted].filter(number => !first.has(number) && !setAside.has(number)).length;
  const last = new Map<number, number>();
  let reordered = 0;
  for (const number of first) {
    const key = number % 7;
    if (number < (last.get(key) ?? -1)) reordered++;
    last.set(key, Math.max(number, last.get(key) ?? -1));
  }
  return {
    seed,
    kills,
    accepted: accepted.size,
    stored: first.size,
    setAside: setAside.size,
    lost,
    duplicates: Math.max(0, stored.length - first.size - deceptions),
    reordered,
  };
}

/** How lives end: `kill` leaves all that was written, `power` only what was forced to the disk. */
export type End = 'kill' | 'power';

/** Ends three publishing processes of one folder at moments that the seed chooses, then lets one drain it. */
export async function livesOf(seed: number, end: End, plant = 'none'): Promise<Verdict> {
  const home = mkdtempSync(join(tmpdir(), 'spill-crash-'));
  const [dir, disk] = [join(home, 'spill'), join(home, 'disk')];
  mkdirSync(dir);
  const transcript = new Transcript();
  try {
    for (let life = 0; life < 3; life++) {
      const lines = 1 + (((seed * 3 + life) * 2654435761) % 4000);
      const more = end === 'power' ? [plant, disk] : [plant];
      await run([dir, String(transcript.next), String(seed), ...more], transcript, lines);
      if (end === 'power') losePower(disk, dir);
      transcript.kills++;
    }
    await run([dir, '-1', String(seed)], transcript, Infinity);
    return verdictOf(seed, transcript);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Runs a process, killed once it has told so many lines. */
function run(args: readonly string[], transcript: Transcript, killAfter: number): Promise<void> {
  const running = spawn(process.execPath, [child, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let [rest, seen] = ['', 0];
  running.stdout.setEncoding('utf8').on('data', (text: string) => {
    const complete = (rest + text).split('\n');
    rest = complete.pop() ?? '';
    for (const line of complete) transcript.note(line);
    seen += complete.length;
    if (seen >= killAfter) running.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    running.on('close', (code, signal) => {
      if (killAfter === Infinity ? code === 0 : signal === 'SIGKILL') resolve();
      else reject(new Error(`seed ${args[2] ?? ''}: the child ended with ${signal ?? `code ${code ?? ''}`}`));
    });
  });
}
