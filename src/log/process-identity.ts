import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCode } from './log-error.ts';

/** Which process it is, told apart from a later one that got the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** The boot of the machine and the process's start in ticks since; absent where the system does not tell. */
  readonly started?: string;
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  const identity = { pid: process.pid, host: hostname() };
  const started = startOf(process.pid);
  return started === undefined ? identity : { ...identity, started };
}

/** False only where the process is known to have ended; one of another host always counts as running. */
export function mayRun({ pid, host, started }: ProcessIdentity): boolean {
  if (host !== hostname()) return true;
  if (!answers(pid)) return false;
  if (started === undefined || process.platform !== 'linux') return true;
  return startOf(pid) === started;
}

function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

/** Of `/proc/<pid>/stat` the fields after the name, which may hold spaces and brackets; undefined for a zombie. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ended = fields[0] === 'Z' || fields[0] === 'X';
    return ended ? undefined : `${bootId()}/${fields[19] ?? ''}`;
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
