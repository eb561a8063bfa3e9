import { readFileSync } from 'node:fs';
import { reasonOf } from '../../core/failure.ts';
import { BusError } from '../../core/publisher.ts';
import type { Secret } from './kafka-security.ts';

/**
 * The secret, read where it is: at each connection, which takes no promise, and is rare.
 *
 * @throws BusError `unauthorized` naming the place, never what is in it
 */
export function readSecret(what: string, secret: Secret): string {
  if (typeof secret === 'string') return secret;
  if ('env' in secret) {
    const value = process.env[secret.env];
    if (value !== undefined && value !== '') return value;
    throw new BusError(
      'unauthorized',
      `${what}: the environment variable ${secret.env} is not set: set it to the secret`,
    );
  }
  try {
    return readFileSync(secret.file, 'utf8').trimEnd();
  } catch (cause) {
    throw new BusError(
      'unauthorized',
      `${what}: ${secret.file} cannot be read (${reasonOf(cause)}): let the file hold the secret, and this user read it`,
      { cause },
    );
  }
}
