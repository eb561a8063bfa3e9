import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { CompressionTypes } from 'kafkajs';
import type * as lz4Napi from 'lz4-napi';
import type * as snappyPackage from 'snappy';
import { BusError } from '../../../core/publisher.ts';
import type { Compression } from '../driver.ts';
import type { Client } from './client.ts';
import { compressXerial, decompressXerial } from './xerial-snappy.ts';

const require = createRequire(import.meta.url);

/** A codec as kafkajs uses it. */
interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

/** The codec in kafkajs's terms. */
export function compressionOf(
  { CompressionTypes: types }: Client,
  compression: Compression,
): CompressionTypes {
  switch (compression) {
    case 'none':
      return types.None;
    case 'gzip':
      return types.GZIP;
    case 'snappy':
      return types.Snappy;
    case 'lz4':
      return types.LZ4;
    case 'zstd':
      return types.ZSTD;
  }
}

/** Adds the codecs that kafkajs lacks; a package is loaded when the first batch needs it. */
export function registerCodecs({ CompressionCodecs: codecs, CompressionTypes: types }: Client): void {
  codecs[types.Snappy] = () => snappy();
  codecs[types.LZ4] = () => lz4();
  codecs[types.ZSTD] = () => zstd;
}

/** @throws BusError `unsupported-capability` naming the package that the codec needs and that is not installed */
export function requireCodec(compression: Compression): void {
  if (compression === 'snappy') snappy();
  if (compression === 'lz4') lz4();
}

function snappy(): Codec {
  const library = requirePackage('snappy', 'snappy') as typeof snappyPackage;
  return {
    compress: ({ buffer }) => compressXerial(buffer, block => library.compress(block)),
    decompress: buffer => decompressXerial(buffer, block => library.uncompress(block, { asBuffer: true })),
  };
}

function lz4(): Codec {
  const library = requirePackage('lz4-napi', 'lz4') as typeof lz4Napi;
  return {
    compress: ({ buffer }) => library.compressFrame(buffer),
    decompress: buffer => library.decompressFrame(buffer),
  };
}

const zstdCompress = promisify(zlib.zstdCompress);
const zstdDecompress = promisify(zlib.zstdDecompress);

const zstd: Codec = {
  compress: ({ buffer }) => zstdCompress(buffer),
  decompress: buffer => zstdDecompress(buffer),
};

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
