import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join, relative, resolve } from 'node:path';

/*
 * What a loss of power leaves of a folder. `kill -9` shows nothing of that: the system still writes what it was given.
 * Here a disk of its own keeps of each file what it held when it was last forced to the disk, and of each folder the
 * names it had when that was: everything else is lost, also what a real system might have written by itself.
 */

/** Of a folder: the file behind each name, or that it is a folder. */
type Names = Readonly<Record<string, number | 'folder'>>;

interface Disk {
  /** What was forced to the disk of a file. */
  readonly file: (id: number) => string;
  readonly names: (folder: string) => string;
}

function diskAt(path: string): Disk {
  const encoded = (folder: string): string => encodeURIComponent(`/${folder}`);
  return {
    file: id => join(path, 'files', String(id)),
    names: folder => join(path, 'names', encoded(folder)),
  };
}

/** Whole or not at all, whenever the process is killed. */
function replaceFile(path: string, write: (draft: string) => void): void {
  write(`${path}.draft`);
  real.renameSync(`${path}.draft`, path);
}

/** As it was before anybody watched; what is watched is set back from here. */
const real = { ...fs };
const watched = [
  'openSync',
  'closeSync',
  'writeSync',
  'writeFileSync',
  'renameSync',
  'linkSync',
  'rmSync',
  'fdatasyncSync',
  'fsyncSync',
] as const;

/** Watches what a process does to a folder, and keeps on a disk what would outlive a loss of power. */
export class DiskModel {
  readonly #root: string;
  readonly #disk: Disk;
  readonly #ids = new Map<string, number>();
  readonly #open = new Map<number, string>();
  #nextId = 0;
  /** What was done, in its order: a write to a file, or forcing it to the disk. */
  readonly steps: string[] = [];

  /** @param root exists; what it holds now is on the disk */
  constructor(root: string, diskPath: string) {
    this.#root = resolve(root);
    this.#disk = diskAt(diskPath);
    real.rmSync(diskPath, { recursive: true, force: true });
    for (const part of ['files', 'names']) real.mkdirSync(join(diskPath, part), { recursive: true });
    this.#adopt(this.#root);
  }

  /** From now on; returns the way back. */
  install(): () => void {
    fs.openSync = (path, ...rest) => {
      const fd = real.openSync(path, ...rest);
      if (this.#isInside(path)) this.#open.set(fd, this.#named(String(path)));
      return fd;
    };
    fs.closeSync = fd => {
      this.#open.delete(fd);
      real.closeSync(fd);
    };
    fs.writeSync = ((fd: number, ...rest: [Buffer, number, number, number]) => {
      this.#note('write', fd);
      return real.writeSync(fd, ...rest);
    }) as typeof fs.writeSync;
    fs.writeFileSync = (path, ...rest) => {
      if (typeof path === 'string' && this.#isInside(path)) this.#named(path);
      real.writeFileSync(path, ...rest);
    };
    fs.renameSync = (from, to) => {
      real.renameSync(from, to);
      this.#renamed(String(from), String(to));
    };
    fs.linkSync = (from, to) => {
      real.linkSync(from, to);
      const id = this.#ids.get(resolve(String(from)));
      if (id !== undefined) this.#ids.set(resolve(String(to)), id);
    };
    fs.rmSync = (path, ...rest) => {
      real.rmSync(path, ...rest);
      this.#ids.delete(resolve(String(path)));
    };
    fs.fdatasyncSync = fd => this.#forced(fd, real.fdatasyncSync);
    fs.fsyncSync = fd => this.#forced(fd, real.fsyncSync);
    syncBuiltinESMExports();
    return () => {
      Object.assign(fs, Object.fromEntries(watched.map(name => [name, real[name]])));
      syncBuiltinESMExports();
    };
  }

  #isInside(path: fs.PathLike): boolean {
    return `${resolve(String(path))}/`.startsWith(`${this.#root}/`);
  }

  #named(path: string): string {
    const at = resolve(path);
    if (!this.#ids.has(at)) this.#ids.set(at, this.#nextId++);
    return at;
  }

  #renamed(from: string, to: string): void {
    const id = this.#ids.get(resolve(from));
    if (id === undefined) return;
    this.#ids.delete(resolve(from));
    this.#ids.set(resolve(to), id);
    for (const [fd, path] of this.#open) if (path === resolve(from)) this.#open.set(fd, resolve(to));
  }

  #note(what: 'write' | 'force', fd: number): void {
    const path = this.#open.get(fd);
    if (path !== undefined) this.steps.push(`${what} ${relative(this.#root, path) || '.'}`);
  }

  #forced(fd: number, force: (fd: number) => void): void {
    force(fd);
    this.#note('force', fd);
    const path = this.#open.get(fd);
    if (path === undefined) return;
    if (real.fstatSync(fd).isDirectory()) this.#keepNames(path);
    else this.#keepFile(path);
  }

  #keepFile(path: string): void {
    const id = this.#ids.get(path);
    if (id !== undefined)
      replaceFile(this.#disk.file(id), draft => {
        real.copyFileSync(path, draft);
      });
  }

  #keepNames(folder: string): void {
    const entries = real.readdirSync(folder, { withFileTypes: true }).map(entry => {
      const path = join(folder, entry.name);
      return [entry.name, entry.isDirectory() ? 'folder' : (this.#ids.get(path) ?? -1)] as const;
    });
    const names: Names = Object.fromEntries(entries);
    replaceFile(this.#disk.names(relative(this.#root, folder)), draft =>
      real.writeFileSync(draft, JSON.stringify(names)),
    );
  }

  #adopt(folder: string): void {
    for (const entry of real.readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) this.#adopt(path);
      else this.#keepFile(this.#named(path));
    }
    this.#keepNames(folder);
  }
}

/** Makes the folder anew with what the disk has kept of it. */
export function losePower(diskPath: string, target: string): void {
  const disk = diskAt(diskPath);
  real.rmSync(target, { recursive: true, force: true });
  const restore = (folder: string): void => {
    const at = join(target, folder);
    real.mkdirSync(at, { recursive: true });
    if (!real.existsSync(disk.names(folder))) return;
    const names = JSON.parse(real.readFileSync(disk.names(folder), 'utf8')) as Names;
    for (const [name, id] of Object.entries(names)) {
      if (id === 'folder') restore(join(folder, name));
      else if (real.existsSync(disk.file(id))) real.copyFileSync(disk.file(id), join(at, name));
      else real.writeFileSync(join(at, name), '');
    }
  };
  restore('');
}
