import { writeSync } from 'node:fs';
import { lockFolder } from '../../src/log/folder-lock.ts';
import { LogError } from '../../src/log/log-error.ts';

/** Says it is ready, tries for the lock once told to, says how that went and stays until its input ends. */
writeSync(1, 'ready\n');
process.stdin.once('data', () => {
  try {
    lockFolder(process.argv[2] ?? '', { port: 4711 });
    writeSync(1, 'won\n');
  } catch (error) {
    writeSync(1, error instanceof LogError ? `${error.code}\n` : `${String(error)}\n`);
  }
});
