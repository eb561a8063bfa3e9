import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Real worker processes of the market job on one Kafka cluster, to be killed and started again. */
export class Workers {
  readonly #bundle: string;
  readonly #children: ChildProcess[] = [];
  readonly #said: string[] = [];

  /** @param feed a folder with recordings, as the feed of all of them */
  constructor(folder: string, brokers: readonly string[], feed: string, sessionTimeoutMs: number) {
    this.#bundle = join(folder, 'workers.yaml');
    const pipelines = ['bars', 'liquidity', 'momentum', 'regime', 'gates', 'signals', 'notifications'];
    writeFileSync(
      this.#bundle,
      [
        'name: chaos',
        'backend:',
        '  kind: kafka',
        `  brokers: [${brokers.map(broker => JSON.stringify(broker)).join(', ')}]`,
        `  consuming: { sessionTimeout: ${sessionTimeoutMs}ms }`,
        'pipelines:',
        ...pipelines.map(name => `  - name: ${name}`),
        `feeds: [${JSON.stringify(`file:${feed}`)}]`,
        'http: { host: 127.0.0.1, port: 0 }',
        'snapshotInterval: 2s',
        'drainDeadline: 10s',
        'logLevel: warn',
      ].join('\n'),
    );
  }

  get count(): number {
    return this.#children.length;
  }

  /** What they have logged. */
  get said(): string {
    return this.#said.join('');
  }

  start(place: number = this.#children.length): void {
    const args = ['--max-semi-space-size=16', program, 'worker', '--bundle', this.#bundle];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => this.#said.push(String(chunk)));
    }
    this.#children[place] = child;
  }

  /** Kills one with SIGKILL, and starts another in its place. */
  async replace(place: number): Promise<void> {
    await ended(this.#children[place], 'SIGKILL');
    this.start(place);
  }

  /** Asks all to end; their exit codes. */
  stop(): Promise<readonly (number | null)[]> {
    return Promise.all(this.#children.map(child => ended(child, 'SIGTERM')));
  }

  killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

async function ended(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<number | null> {
  if (child === undefined) return null;
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal);
    await once(child, 'exit');
  }
  return child.exitCode;
}
