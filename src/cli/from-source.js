// npm scripts of a clone start here: an older Node cannot even read the TypeScript that would tell it so.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `cryptorun needs Node 22.18 or newer, this is ${process.versions.node}: install one, or run "npm ci", which brings Node 24 for npm scripts.\n`,
  );
  process.exitCode = 2;
} else {
  await import('./main.ts');
}
