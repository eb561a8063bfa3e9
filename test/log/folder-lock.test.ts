import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lockFolder, readLock } from '../../src/log/folder-lock.ts';
import { temporaryFolder } from './temporary-log.ts';

const child = fileURLToPath(new URL('./lock-child.ts', import.meta.url));
const onlyLock = ['owner.lock'];

/** A process that tries for the lock when told to. */
class Contender {
  readonly process: ChildProcess;
  #lines: string[] = [];
  #rest = '';
  #waiting: ((line: string) => void) | undefined;

  constructor(folder: string) {
    this.process = spawn(process.execPath, [child, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void this.process.kill('SIGKILL'));
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop() ?? '';
      this.#lines.push(...lines);
      if (this.#waiting !== undefined) this.#waiting(this.#lines.shift() ?? '');
      this.#waiting = undefined;
    });
  }

  line(): Promise<string> {
    const line = this.#lines.shift();
    return line === undefined ? new Promise(resolve => (this.#waiting = resolve)) : Promise.resolve(line);
  }

  go(): void {
    this.process.stdin?.write('go\n');
  }

  kill(): Promise<unknown> {
    const closed = new Promise(resolve => this.process.on('close', resolve));
    this.process.kill('SIGKILL');
    return closed;
  }
}

async function race(folder: string, count: number): Promise<{ winners: Contender[]; all: Contender[] }> {
  const all = Array.from({ length: count }, () => new Contender(folder));
  for (const contender of all) expect(await contender.line()).toBe('ready');
  all.forEach(contender => contender.go());
  const results = await Promise.all(all.map(contender => contender.line()));
  expect(results.toSorted()).toEqual([...new Array<string>(count - 1).fill('locked'), 'won']);
  return { winners: all.filter((_, at) => results[at] === 'won'), all };
}

function altered(folder: string, change: Readonly<Record<string, unknown>>): void {
  const path = join(folder, 'owner.lock');
  const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify(Object.assign({}, content, change)));
}

describe('the lock of a folder', () => {
  it('belongs to one, who is named to others, until it is released', () => {
    const folder = join(temporaryFolder(), 'new');
    const lock = lockFolder(folder, { port: 9000 });
    expect(readLock(folder)).toMatchObject({ pid: process.pid, host: hostname(), info: { port: 9000 } });
    expect(() => lockFolder(folder)).toThrow(expect.objectContaining({ code: 'locked' }));
    expect(() => lockFolder(folder)).toThrow(`process ${process.pid} on ${hostname()} (port: 9000) owns`);
    expect(() => lockFolder(folder)).toThrow('It is open in this process already: close that first.');
    lock.release();
    lock.release();
    expect([readLock(folder), readdirSync(folder)]).toEqual([undefined, []]);
    lockFolder(folder).release();
  });

  it('is not released by one who lost it', () => {
    const folder = temporaryFolder();
    const lock = lockFolder(folder);
    altered(folder, { nonce: 'another' });
    lock.release();
    expect(readdirSync(folder)).toEqual(onlyLock);
  });

  it.runIf(process.platform === 'linux')('is taken over where its number went to a later process', () => {
    const folder = temporaryFolder();
    lockFolder(folder);
    altered(folder, { started: 'another boot/1' });
    expect(readLock(folder)).toBeUndefined();
    const lock = lockFolder(folder, { mine: true });
    expect([readLock(folder)?.info, readdirSync(folder)]).toEqual([{ mine: true }, onlyLock]);
    lock.release();
  });

  it('of another host counts as held: nobody here can tell', () => {
    const folder = temporaryFolder();
    lockFolder(folder);
    altered(folder, { host: 'elsewhere', pid: 1 });
    expect(() => lockFolder(folder)).toThrow('if its host is gone for good, delete the file');
  });

  it('that holds something else is refused with what to do', () => {
    const folder = temporaryFolder();
    for (const text of ['', '{', '[]', '{"pid":0}', '{"pid":1,"host":"h","nonce":"../x","info":{}}']) {
      writeFileSync(join(folder, 'owner.lock'), text);
      expect(() => lockFolder(folder)).toThrow('Delete it if no process uses the folder');
    }
  });

  it('goes to one of many processes, free or left by a killed one', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    for (let round = 0; round < 4; round += 1) {
      const { winners, all } = await race(folder, 5);
      expect(readLock(folder)).toMatchObject({ pid: winners[0]?.process.pid, info: { port: 4711 } });
      expect(() => lockFolder(folder)).toThrow(`Stop process ${winners[0]?.process.pid} first`);
      await Promise.all(all.map(contender => contender.kill()));
      expect(readLock(folder)).toBeUndefined();
      expect(readdirSync(folder)).toEqual(onlyLock);
    }
  });

  it('is taken over also where an earlier taker died half-way', () => {
    const folder = temporaryFolder();
    lockFolder(folder);
    const gone = { started: 'another boot/1' };
    altered(folder, { ...gone, nonce: 'first' });
    const stale = readFileSync(join(folder, 'owner.lock'), 'utf8');
    writeFileSync(join(folder, 'owner.lock.takeover-first'), stale.replace('"first"', '"second"'));
    writeFileSync(join(folder, 'owner.lock.takeover-second'), stale.replace('"first"', '"third"'));
    if (process.platform !== 'linux') return;
    const lock = lockFolder(folder);
    expect([readLock(folder)?.pid, readdirSync(folder)]).toEqual([process.pid, onlyLock]);
    lock.release();
  });
});
