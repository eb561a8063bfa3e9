import { readFileSync } from 'node:fs';
import { BusError } from '../core/publisher.ts';

/** Where the key lies; the key itself is never an option, so that it stands in no configuration and no log. */
export type SpillKeySource = { readonly env: string } | { readonly file: string };

/** Bytes of a key: AES-256. */
const keyBytes = 32;
const asHex = /^[0-9a-fA-F]{64}$/;
const asBase64 = /^[A-Za-z0-9+/_-]{43}=?$/;

/**
 * The key: 32 bytes as 64 hex digits or as base64.
 *
 * @throws BusError `invalid-option` that says where it was looked for, never what was found there
 */
export function readSpillKey(source: SpillKeySource): Buffer {
  const [place, text] = 'env' in source ? fromEnvironment(source.env) : fromFile(source.file);
  const trimmed = text.trim();
  const key = asHex.test(trimmed)
    ? Buffer.from(trimmed, 'hex')
    : Buffer.from(asBase64.test(trimmed) ? trimmed : '', 'base64');
  if (key.length === keyBytes) return key;
  throw noKey(`${place} holds no key: 32 bytes are needed, as 64 hex digits or in base64`);
}

function fromEnvironment(name: string): readonly [string, string] {
  const text = process.env[name];
  if (text === undefined) throw noKey(`the environment variable ${name} is not set: it must hold the key`);
  return [`the environment variable ${name}`, text];
}

function fromFile(path: string): readonly [string, string] {
  try {
    return [`the file ${path}`, readFileSync(path, 'utf8')];
  } catch (cause) {
    throw noKey(`the key cannot be read from the file ${path}`, cause);
  }
}

function noKey(what: string, cause?: unknown): BusError {
  return new BusError('invalid-option', `spill: ${what}`, { cause });
}
