import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** PEM files; what is for clients is what their own configuration asks for. */
export interface Certificates {
  /** Of the authority that signs all others. */
  readonly ca: string;
  /** Key and certificate of the brokers in one file, as Kafka wants it. */
  readonly server: string;
  /** By the name of the user. */
  readonly clients: ReadonlyMap<string, { readonly cert: string; readonly key: string }>;
}

/** Makes an authority, a certificate for brokers on loopback, and one for each user, with openssl. */
export async function makeCertificates(folder: string, users: readonly string[]): Promise<Certificates> {
  await mkdir(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  await openssl(...request(at('ca.key'), 'test authority'), '-x509', '-days', '2', '-out', at('ca.pem'));

  async function signed(
    name: string,
    subject: string,
    extensions: string,
  ): Promise<{ cert: string; key: string }> {
    const files = { cert: at(`${name}.pem`), key: at(`${name}.key`) };
    const asked = at(`${name}.csr`);
    await writeFile(at(`${name}.ext`), extensions);
    await openssl(...request(files.key, subject), '-out', asked);
    const authority = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'];
    const details = ['-days', '2', '-extfile', at(`${name}.ext`)];
    await openssl('x509', '-req', '-in', asked, ...authority, ...details, '-out', files.cert);
    return files;
  }

  const broker = await signed('server', 'broker', 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  await writeFile(
    at('server-keystore.pem'),
    (await readFile(broker.key, 'utf8')) + (await readFile(broker.cert, 'utf8')),
  );
  const clients = new Map<string, { cert: string; key: string }>();
  for (const user of users) {
    clients.set(user, await signed(`user-${user}`, user, 'extendedKeyUsage=clientAuth\n'));
  }
  return { ca: at('ca.pem'), server: at('server-keystore.pem'), clients };
}

function request(key: string, subject: string): string[] {
  const fresh = ['-newkey', 'rsa:2048', '-nodes', '-keyout', key];
  return ['req', '-new', ...fresh, '-subj', `/CN=${subject}`];
}

async function openssl(...args: string[]): Promise<void> {
  try {
    await run('openssl', args);
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new Error(missing ? 'TLS needs openssl, which is missing' : `openssl ${args[0] ?? ''} failed`, {
      cause,
    });
  }
}
