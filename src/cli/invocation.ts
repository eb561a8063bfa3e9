/** How the user calls a command of ours from where this was started. */
export function invocationOf(command: string): string {
  const isScript = process.env['npm_lifecycle_event'] !== undefined;
  return isScript ? `npm run -s cryptorun -- ${command}` : `cryptorun ${command}`;
}
