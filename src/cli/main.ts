#!/usr/bin/env -S node --max-semi-space-size=16
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `cryptorun needs Node 22.18 or newer, this is ${process.versions.node}. In a clone, "npm ci" brings Node 24 and npm scripts use it.\n`,
  );
  process.exitCode = 2;
} else {
  const { main } = await import('./program.ts');
  process.exitCode = await main(process.argv.slice(2));
  // All is given up by now: a connection that does not close may not keep the process, and what it holds, alive.
  setTimeout(() => process.exit(), 5_000).unref();
}
