import { BusError } from '../core/publisher.ts';
import { FeedError } from '../feeds/feed.ts';
import { nearestName } from '../config/nearest-name.ts';
import { CliError } from './cli-error.ts';
import { type Command, runCommand } from './command.ts';
import { configCommand } from './commands/config.ts';
import { dlqCommand } from './commands/dlq.ts';
import { explainCommand } from './commands/explain.ts';
import { pipelinesCommand } from './commands/pipelines.ts';
import { quarantineCommand } from './commands/quarantine.ts';
import { resetCommand } from './commands/reset.ts';
import { startCommand } from './commands/start.ts';
import { stateCommand } from './commands/state.ts';
import { superviseCommand } from './commands/supervise.ts';
import { topicsCommand } from './commands/topics.ts';
import { workerCommand } from './commands/worker.ts';
import { type Terminal, processTerminal } from './terminal.ts';

const commands: readonly Command[] = [
  startCommand,
  workerCommand,
  superviseCommand,
  explainCommand,
  topicsCommand,
  stateCommand,
  dlqCommand,
  quarantineCommand,
  resetCommand,
  pipelinesCommand,
  configCommand,
];

const overview = [
  'CryptoRun Streams: from market prices to explained signals, on RxJS.',
  '',
  'Usage: cryptorun COMMAND [options]',
  '',
  'Commands:',
  ...commands.map(({ name, summary }) => `  ${name.padEnd(11)} ${summary}`),
  '',
  'cryptorun COMMAND --help tells more. Exit codes: 0 done, 1 failed, 2 wrong input or configuration,',
  '3 not drained in time, 4 topics plan has something to do, 130 and 143 ended by a second signal.',
].join('\n');

/** Runs a command line; returns the exit code. */
export async function main(argv: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal.out(overview);
    return 0;
  }
  try {
    return await runCommand(commandNamed(name), rest, terminal);
  } catch (error) {
    return explainFailure(error, terminal);
  }
}

function commandNamed(name: string): Command {
  const command = commands.find(candidate => candidate.name === name);
  if (command) return command;
  const near = nearestName(
    name,
    commands.map(candidate => candidate.name),
  );
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  throw new CliError(2, `There is no command "${name}".${hint} See: cryptorun --help`);
}

/** What is expected to go wrong is told in a line; anything else with its stack, for it is a fault of ours. */
function explainFailure(error: unknown, terminal: Terminal): number {
  if (error instanceof CliError) {
    terminal.err(error.message);
    return error.exitCode;
  }
  if (error instanceof FeedError || error instanceof BusError) {
    terminal.err(error.message);
    return error instanceof BusError && error.code === 'unavailable' ? 1 : 2;
  }
  terminal.err(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 1;
}
