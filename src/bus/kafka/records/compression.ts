import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type * as lz4Napi from 'lz4-napi';
import type * as snappyPackage from 'snappy';
import { BusError } from '../../../core/publisher.ts';
import type { Compression } from '../driver.ts';
import { compressXerial, decompressXerial } from './xerial-snappy.ts';

const require = createRequire(import.meta.url);

/** How the records of a batch are packed, as Kafka's clients do it. */
export interface Codec {
  compress(bytes: Buffer): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

/** By the number that a batch carries. */
const numbered: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

export function numberOf(compression: Compression): number {
  return numbered.indexOf(compression);
}

export function compressionOf(number: number): Compression | undefined {
  return numbered[number];
}

/** @throws BusError `unsupported-capability` naming the package that the codec needs and that is not installed */
export function codecOf(compression: Exclude<Compression, 'none'>): Codec {
  switch (compression) {
    case 'gzip':
      return gzip;
    case 'snappy':
      return snappy();
    case 'lz4':
      return lz4();
    case 'zstd':
      return zstd;
  }
}

/** No batch is larger than this when it is unpacked: what is small on the wire may be made to fill the memory. */
const limit = { maxOutputLength: 256 * 1024 ** 2 };

const [gunzip, zstdDecompress] = [promisify(zlib.gunzip), promisify(zlib.zstdDecompress)];
const gzip: Codec = { compress: promisify(zlib.gzip), decompress: bytes => gunzip(bytes, limit) };
const zstd: Codec = {
  compress: promisify(zlib.zstdCompress),
  decompress: bytes => zstdDecompress(bytes, limit),
};

function snappy(): Codec {
  const library = requirePackage('snappy', 'snappy') as typeof snappyPackage;
  return {
    compress: bytes => compressXerial(bytes, block => library.compress(block)),
    decompress: bytes => decompressXerial(bytes, block => library.uncompress(block, { asBuffer: true })),
  };
}

function lz4(): Codec {
  const library = requirePackage('lz4-napi', 'lz4') as typeof lz4Napi;
  return {
    compress: bytes => library.compressFrame(bytes),
    decompress: bytes => library.decompressFrame(bytes),
  };
}

/** An optional dependency: where its binary does not exist for a system, npm leaves it out. */
function requirePackage(name: string, compression: Compression): unknown {
  try {
    return require(name);
  } catch (cause) {
    throw new BusError(
      'unsupported-capability',
      `compression ${compression} needs the package ${name}, which cannot be loaded here: npm install ${name}`,
      { cause },
    );
  }
}
