import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as t from 'io-ts';
import { fileBlock, projectFolder } from '../readme/code-blocks.ts';

/**
 * Packs the built package, installs the tarball in an empty folder as a user does, and uses it there from
 * JavaScript, from TypeScript and from the command line. Run by `npm run test:package` after a build.
 */
function checkPacked(): void {
  const folder = mkdtempSync(join(tmpdir(), 'cryptorun-packed-'));
  try {
    const tarball = pack(folder);
    install(folder, tarball);
    checkJavaScript(folder);
    checkProgram(folder);
    checkTypeScript(folder);
    checkCommandLine(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const here = join(projectFolder, 'test/package');
const Packed = t.array(
  t.type({ filename: t.string, size: t.number, files: t.array(t.type({ path: t.string })) }),
);
const Manifest = t.type({ devDependencies: t.record(t.string, t.string) });

function pack(folder: string): string {
  const json: unknown = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', folder], projectFolder),
  );
  if (!Packed.is(json) || json[0] === undefined) throw new Error('npm pack told nothing of a tarball');
  const { filename, size, files } = json[0];
  const strays = files.filter(({ path }) => /(^|\/)(test|shared|node_modules)\//.test(path));
  if (strays.length > 0) throw new Error(`the tarball holds ${strays.map(({ path }) => path).join(', ')}`);
  say(`packed ${filename}: ${files.length} files, ${Math.round(size / 1024)} KiB`);
  return join(folder, filename);
}

function install(folder: string, tarball: string): void {
  const project = { name: 'consumer', private: true, type: 'module' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(project));
  const manifest: unknown = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8'));
  if (!Manifest.is(manifest)) throw new Error('package.json names no devDependencies');
  const compiler = ['typescript', '@types/node'].map(
    name => `${name}@${manifest.devDependencies[name] ?? ''}`,
  );
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball, ...compiler], folder);
  say('installed in an empty folder');
}

function checkJavaScript(folder: string): void {
  copyFileSync(join(here, 'consumer.js'), join(folder, 'consumer.js'));
  run(process.execPath, ['consumer.js'], folder);
  say('used from JavaScript');
}

const tsc = 'node_modules/typescript/bin/tsc';

/** As the README says to in a folder without settings of its own. */
function checkProgram(folder: string): void {
  writeFileSync(join(folder, 'alerts.ts'), fileBlock('alerts.ts'));
  const settings = '--noEmit --strict --module nodenext --types node';
  if (!readFileSync(join(projectFolder, 'README.md'), 'utf8').includes(`npx tsc ${settings} alerts.ts`))
    throw new Error(`the README does not check its program with ${settings}`);
  run(process.execPath, [tsc, ...settings.split(' '), 'alerts.ts'], folder);
  run(process.execPath, ['alerts.ts'], folder);
  say('the program of the README passes the compiler, and runs');
}

function checkTypeScript(folder: string): void {
  copyFileSync(join(here, 'consumer.ts'), join(folder, 'consumer.ts'));
  const compilerOptions = {
    target: 'es2024',
    lib: ['es2024'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  run(process.execPath, [tsc, '-p', '.'], folder);
  say('used from TypeScript, with all its declarations checked');
}

function checkCommandLine(folder: string): void {
  run('npx', ['--no-install', 'cryptorun', '--help'], folder);
  run('npx', ['--no-install', 'cryptorun', 'config', 'check'], folder);
  say('the command line starts, and its configuration is in order');
}

/** What a command prints. @throws Error with all of it, where the command fails */
function run(file: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(file, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 180_000,
    });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${file} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

function say(text: string): void {
  process.stdout.write(`  ${text}\n`);
}

checkPacked();
