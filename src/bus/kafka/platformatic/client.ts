import type * as platformatic from '@platformatic/kafka';
import { BusError } from '../../../core/publisher.ts';

/** @platformatic/kafka itself. */
export type Client = typeof platformatic;

/**
 * Loaded when a bus is started and not before: an optional peer, which whoever uses it installs.
 *
 * @throws BusError `unsupported-capability` with what to install
 */
export async function loadClient(): Promise<Client> {
  try {
    return await import('@platformatic/kafka');
  } catch (cause) {
    throw new BusError(
      'unsupported-capability',
      `driver platformatic needs the package @platformatic/kafka, and Node 22.22 or newer, and this is ${process.version}: npm install @platformatic/kafka@^2.12`,
      { cause },
    );
  }
}
