import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Message } from '../../../src/core/message.ts';
import { everythingIn, startedBus, temporaryFolder } from './temporary-bus.ts';

const child = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
const rounds = 5;

/** What the killed processes of one folder have told. */
interface Told {
  /** Where each acknowledged number is. */
  readonly published: Map<number, string>;
  /** Offsets about to be acked, by partition. */
  readonly acked: Map<number, Set<number>>;
}

/** Runs a process until it has told so many lines, then kills it. */
async function killAfter(lines: number, args: readonly string[], told: Told): Promise<void> {
  const running = spawn(process.execPath, [child, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let [rest, seen] = ['', 0];
  running.stdout.setEncoding('utf8').on('data', (text: string) => {
    const complete = (rest + text).split('\n');
    rest = complete.pop() ?? '';
    for (const line of complete) note(line, told);
    seen += complete.length;
    if (seen >= lines) running.kill('SIGKILL');
  });
  expect(await new Promise(resolve => running.on('close', (_, by) => resolve(by)))).toBe('SIGKILL');
}

function note(line: string, { published, acked }: Told): void {
  const [kind, ...values] = line.split(' ');
  const [a = NaN, b = NaN, c = NaN] = values.map(Number);
  if (kind === 'p') published.set(a, `${b}@${c}`);
  else acked.set(a, (acked.get(a) ?? new Set()).add(b));
}

/** The first offset of the partition that nobody was about to ack. */
function firstGap(acked: ReadonlySet<number> = new Set()): number {
  let next = 0;
  while (acked.has(next)) next++;
  return next;
}

const numberOf = ({ payload }: Message): number => parseInt(Buffer.from(payload ?? []).toString(), 10);

/** Opens what a killed process left, and looks at all of it; the number with which to go on. */
async function inspect(dir: string, told: Told): Promise<number> {
  const bus = await startedBus({ dir });
  const messages = everythingIn(bus, 'numbers');
  const numbers = messages.map(numberOf);
  expect(new Set(numbers).size).toBe(numbers.length);
  const places = new Map(
    messages.map(message => [numberOf(message), `${message.partition}@${message.offset}`]),
  );
  for (const [number, place] of told.published) {
    if (places.get(number) !== place) expect.fail(`${number} was at ${place}, is at ${places.get(number)}`);
  }
  for (const partition of [0, 1, 2]) {
    const mine = messages.filter(message => message.partition === partition);
    expect(mine.map(({ offset }) => offset)).toEqual([...mine.keys()]);
    expect(mine.map(numberOf)).toEqual(mine.map(numberOf).sort((a, b) => a - b));
  }
  for (const { partition, committed } of (await bus.getTopicInfo('numbers')).groups) {
    expect(committed).toBeLessThanOrEqual(firstGap(told.acked.get(partition)));
  }
  expect((await bus.health()).errors).toEqual([]);
  await bus.stop();
  return 1 + Math.max(-1, ...numbers);
}

it.for([1, 2, 3, 4])(
  'a killed process loses nothing acknowledged and commits nothing that was not acked (%i)',
  { timeout: 120_000 },
  async start => {
    const dir = temporaryFolder();
    const told: Told = { published: new Map(), acked: new Map() };
    let next = 0;
    for (let seed = start; seed < start + 4 * rounds; seed += 4) {
      const lines = 1 + ((seed * 2654435761) % 3000);
      await killAfter(lines, [dir, String(next), String(seed)], told);
      next = await inspect(dir, told);
    }
    expect(told.published.size).toBeGreaterThan(500);
    const bus = await startedBus({ dir });
    const { groups } = await bus.getTopicInfo('numbers');
    expect(groups.reduce((sum, { committed }) => sum + committed, 0)).toBeGreaterThan(100);
  },
);
