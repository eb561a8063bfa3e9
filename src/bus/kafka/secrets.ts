import { readFile } from 'node:fs/promises';
import { reasonOf } from '../../core/failure.ts';
import { BusError } from '../../core/publisher.ts';
import type { Secret } from './kafka-security.ts';

/** The secret, read where it is. @throws BusError `unauthorized` naming the place, never what is in it */
export async function readSecret(what: string, secret: Secret): Promise<string> {
  if (typeof secret === 'string') return secret;
  if ('env' in secret) {
    const value = process.env[secret.env];
    if (value !== undefined && value !== '') return value;
    throw new BusError('unauthorized', `${what}: the environment variable ${secret.env} is not set`);
  }
  try {
    return (await readFile(secret.file, 'utf8')).trimEnd();
  } catch (cause) {
    throw new BusError('unauthorized', `${what}: ${secret.file} cannot be read: ${reasonOf(cause)}`, {
      cause,
    });
  }
}
