import type { CompressionTypes } from 'kafkajs';
import type { Compression } from '../driver.ts';
import type { Client } from './client.ts';

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
