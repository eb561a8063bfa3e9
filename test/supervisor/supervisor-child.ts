/** A supervisor of fake workers, for tests that send signals to a real process; the argument is their behaviour. */
import { fileURLToPath } from 'node:url';
import { runSupervisor } from '../../src/supervisor/run-supervisor.ts';
import type { Supervisor } from '../../src/supervisor/supervisor.ts';
import { forkWorker } from '../../src/supervisor/worker-process.ts';
import { silentLogger } from '../../src/worker/logger.ts';
import { listenForShutdown } from '../../src/worker/shutdown.ts';

const [behaviour = ''] = process.argv.slice(2);
let supervisor: Supervisor | undefined;
const shutdown = listenForShutdown(process, { atOnce: () => supervisor?.kill() });
process.on('SIGHUP', () => void supervisor?.restartAll());
process.exitCode = await runSupervisor({
  name: 'fake',
  workers: 2,
  http: { host: '127.0.0.1', port: 0 },
  stopDeadlineMs: 60_000,
  signal: shutdown.signal,
  logger: {
    ...silentLogger,
    info: fields => void process.stdout.write(`${JSON.stringify(fields)}\n`),
  },
  launch: name =>
    forkWorker({
      script: fileURLToPath(new URL('./fake-worker-child.ts', import.meta.url)),
      args: [name, behaviour],
      execArgv: [],
      output: [1, 2],
    }),
  started: running => (supervisor = running),
  showIntervalMs: 60_000,
  show: () => undefined,
});
shutdown.remove();
