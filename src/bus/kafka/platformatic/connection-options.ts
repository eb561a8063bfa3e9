import { isIP } from 'node:net';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { ConnectionOptions, SASLOptions } from '@platformatic/kafka';
import type { KafkaSasl, KafkaTls } from '../kafka-security.ts';
import type { KafkaSettings } from '../kafka-settings.ts';
import { readSecret } from '../secrets.ts';

type SecureSettings = Pick<KafkaSettings, 'security' | 'connectionTimeoutMs'>;

/**
 * What one connection is opened with. Secrets are read for each, so that a password or certificate that was changed on
 * both sides works without a restart.
 *
 * @throws BusError `unauthorized` where a secret cannot be read now
 */
export function connectionOptions(
  { security: { tls, sasl }, connectionTimeoutMs }: SecureSettings,
  host: string,
  requestTimeout: number,
): ConnectionOptions {
  return {
    connectTimeout: connectionTimeoutMs,
    requestTimeout,
    ...(tls !== undefined && tls !== false && { tls: tlsOptions(tls), tlsServerName: isIP(host) === 0 }),
    ...(sasl !== undefined && { sasl: saslOptions(sasl) }),
  };
}

function tlsOptions(tls: true | KafkaTls): TlsOptions {
  const { ca, cert, key } = tls === true ? {} : tls;
  return {
    ...(ca !== undefined && { ca: readSecret('security.tls.ca', ca) }),
    ...(cert !== undefined && { cert: readSecret('security.tls.cert', cert) }),
    ...(key !== undefined && { key: readSecret('security.tls.key', key) }),
  };
}

/** A broker that takes a token says nothing; why it takes it not it says as if it had. */
const requireTaken: NonNullable<SASLOptions['authBytesValidator']> = (said, callback) => {
  if (said.length === 0) callback(null, said);
  else callback(new Error(`the token was refused: ${said.toString()}`));
};

const mechanisms = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const;

/** Functions: a connection that lasts longer than its credentials asks for them again. */
function saslOptions(sasl: KafkaSasl): SASLOptions {
  if (sasl.mechanism === 'oauthbearer')
    return { mechanism: 'OAUTHBEARER', token: sasl.token, authBytesValidator: requireTaken };
  const { username, password } = sasl;
  return {
    mechanism: mechanisms[sasl.mechanism],
    username: () => readSecret('security.sasl.username', username),
    password: () => readSecret('security.sasl.password', password),
  };
}
