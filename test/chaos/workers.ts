import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const pipelines = ['bars', 'liquidity', 'momentum', 'regime', 'gates', 'signals', 'notifications'];
const pauseMs = 500;

export interface WorkersOptions {
  /** Where their bundles are written. */
  readonly folder: string;
  /** The brokers as each place reaches them; there are as many places. */
  readonly lines: readonly (readonly string[])[];
  /** A folder with recordings, as the feed of all of them. */
  readonly feed: string;
  readonly sessionTimeoutMs: number;
  /** A module that each loads first. */
  readonly preload?: string;
}

/** Real worker processes of the market job on one Kafka cluster, each in a place of its own. */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #children = new Map<number, ChildProcess>();
  readonly #said: string[] = [];
  /** How many ended by themselves, and were started again as a supervisor would. */
  restarts = 0;

  constructor(options: WorkersOptions) {
    this.#options = options;
    options.lines.forEach((brokers, place) => {
      writeFileSync(this.#bundleOf(place), bundle(brokers, options));
    });
  }

  /** What they have logged. */
  get said(): string {
    return this.#said.join('');
  }

  start(place: number): void {
    const { preload } = this.#options;
    const args = [
      '--max-semi-space-size=16',
      ...(preload === undefined ? [] : ['--import', preload]),
      program,
      'worker',
      '--bundle',
      this.#bundleOf(place),
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => this.#said.push(`${place}: ${String(chunk)}`));
    }
    this.#children.set(place, child);
    child.once('exit', code => {
      if (this.#children.get(place) !== child) return;
      this.restarts++;
      this.#said.push(`${place}: ended by itself with code ${code}\n`);
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

  freeze(place: number): void {
    this.#children.get(place)?.kill('SIGSTOP');
  }

  thaw(place: number): void {
    this.#children.get(place)?.kill('SIGCONT');
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
      child.kill(signal);
      await once(child, 'exit');
    }
    return child.exitCode;
  }

  #bundleOf(place: number): string {
    return join(this.#options.folder, `worker-${place}.yaml`);
  }
}

function bundle(brokers: readonly string[], { feed, sessionTimeoutMs }: WorkersOptions): string {
  return [
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
  ].join('\n');
}
