import type { ChildProcess } from 'node:child_process';

/** Resolves once the process has printed something that matches. */
export function printed(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise(resolve => {
    let text = '';
    child.stdout?.on('data', chunk => {
      text += String(chunk);
      if (pattern.test(text)) resolve();
    });
  });
}
