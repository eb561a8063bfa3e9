import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';

const pauseMs = 500;
/** Longer than any drain: who has not ended by then does not, ms. */
const endMs = 60_000;

/** Real processes of one program, each in a place of its own, to be killed, stopped and started again. */
export class Workers {
  readonly #argsOf: (place: number) => readonly string[];
  readonly #children = new Map<number, ChildProcess>();
  readonly #said: string[] = [];
  readonly #endings: string[] = [];
  /** How many ended by themselves. */
  restarts = 0;

  /** @param argsOf the program and what it is told, by place */
  constructor(argsOf: (place: number) => readonly string[]) {
    this.#argsOf = argsOf;
  }

  /** What they have logged. */
  get said(): string {
    return this.#said.join('');
  }

  /**
   * Of those that ended by themselves, and were started again as a supervisor would, and of those that did not end as
   * they were asked to, how, and what they logged last.
   */
  get endings(): readonly string[] {
    return this.#endings;
  }

  start(place: number): void {
    const args = ['--max-semi-space-size=16', ...this.#argsOf(place)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let last = 'it has logged nothing';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        last = String(chunk);
        this.#said.push(`${place}: ${last}`);
      });
    }
    const tell = (how: string): void => {
      this.#endings.push(`worker ${place} ${how}: ${last}`);
      this.#said.push(`${place}: ${how}\n`);
    };
    this.#children.set(place, child);
    child.once('exit', (code, signal) => {
      if (this.#children.get(place) !== child) {
        if (code !== 0 && signal !== 'SIGKILL') tell(`was asked to end, and did so with ${code ?? signal}`);
        return;
      }
      this.restarts++;
      tell(`ended by itself with ${code ?? signal}`);
      setTimeout(() => {
        if (this.#children.get(place) === child) this.start(place);
      }, pauseMs);
    });
  }

  async kill(place: number): Promise<void> {
    await this.#end(place, 'SIGKILL');
  }

  /** Asks one to end; its exit code. */
  stop(place: number): Promise<number | null> {
    return this.#end(place, 'SIGTERM');
  }

  /** Stops one for so long as if its machine slept, and lets it go on: it does not know that anything has happened. */
  async freeze(place: number, ms: number): Promise<void> {
    const child = this.#children.get(place);
    child?.kill('SIGSTOP');
    await wait(ms);
    child?.kill('SIGCONT');
  }

  /** Lets one whose program heeds it take its time for so long; one that has been replaced meanwhile never knew. */
  async slow(place: number, ms: number): Promise<void> {
    const child = this.#children.get(place);
    child?.kill('SIGUSR2');
    await wait(ms);
    child?.kill('SIGUSR2');
  }

  /** Asks all to end; their exit codes. */
  stopAll(): Promise<readonly (number | null)[]> {
    return Promise.all([...this.#children.keys()].map(place => this.stop(place)));
  }

  killAll(): void {
    const children = [...this.#children.values()];
    this.#children.clear();
    for (const child of children) child.kill('SIGKILL');
  }

  async #end(place: number, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#children.get(place);
    this.#children.delete(place);
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      const late = setTimeout(() => {
        this.#said.push(`${place}: had not ended ${endMs} ms after ${signal}\n`);
        child.kill('SIGKILL');
      }, endMs);
      child.kill(signal);
      await once(child, 'exit');
      clearTimeout(late);
    }
    return child.exitCode;
  }
}
