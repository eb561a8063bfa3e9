import { createInterface } from 'node:readline/promises';

/** Where a command writes, and what it may assume of it. */
export interface Terminal {
  /** A line or more to standard output. */
  out(text: string): void;
  /** A line or more to standard error. */
  err(text: string): void;
  /** Standard output as it is, for what draws by itself. */
  readonly stream: {
    write(text: string): void;
    readonly columns: number;
    readonly rows: number;
  };
  readonly isInteractive: boolean;
  readonly colour: boolean;
  /** Whether a person agrees; where there is none to ask, the command itself was the answer. */
  confirm(question: string): Promise<boolean>;
}

const fallback = { columns: 80, rows: 24 };

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  // A reader that goes away (`| head`) ends the program quietly.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  return {
    out: text => void stdout.write(`${text}\n`),
    err: text => void stderr.write(`${text}\n`),
    isInteractive: stdout.isTTY,
    confirm: question => (stdin.isTTY && stdout.isTTY ? confirmed(question) : Promise.resolve(true)),
    colour: stdout.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    stream: {
      write: text => void stdout.write(text),
      get columns() {
        return stdout.isTTY ? stdout.columns : fallback.columns;
      },
      get rows() {
        return stdout.isTTY ? stdout.rows : fallback.rows;
      },
    },
  };
}

async function confirmed(question: string): Promise<boolean> {
  const { stdin: input, stderr: output } = process;
  const lines = createInterface({ input, output });
  const answer = await lines.question(`${question} [y/N] `).finally(() => lines.close());
  return /^y(es)?$/i.test(answer.trim());
}
