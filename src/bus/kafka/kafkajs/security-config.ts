import { createRequire } from 'node:module';
import type { ConnectionOptions } from 'node:tls';
import type { AuthenticationProviderArgs, Authenticator, KafkaConfig, SASLOptions } from 'kafkajs';
import type { KafkaSasl, KafkaSecurity, KafkaTls } from '../kafka-security.ts';
import { readSecret } from '../secrets.ts';
import { bearerToken } from './bearer-token.ts';
import type { Sockets } from './sockets.ts';

const require = createRequire(import.meta.url);

type SecurityConfig = Pick<KafkaConfig, 'ssl' | 'sasl' | 'socketFactory'>;

/**
 * TLS and SASL as kafkajs wants them. Secrets are read at each connection, so that a password or certificate that
 * was changed on both sides works without a restart.
 *
 * @throws BusError `unauthorized` where a secret cannot be read now
 */
export function securityConfig({ tls, sasl }: KafkaSecurity, sockets: Sockets): SecurityConfig {
  if (typeof tls === 'object') tlsOptions(tls);
  if (sasl !== undefined && sasl.mechanism !== 'oauthbearer') loginOf(sasl);
  return {
    ...(tls !== undefined && tls !== false && { ssl: true }),
    socketFactory: options =>
      sockets.connect(typeof tls === 'object' ? { ...options, ssl: tlsOptions(tls) } : options),
    ...(sasl !== undefined && {
      sasl: { mechanism: sasl.mechanism, authenticationProvider: authenticationBy(sasl) },
    }),
  };
}

function tlsOptions({ ca, cert, key }: KafkaTls): ConnectionOptions {
  return {
    ...(ca !== undefined && { ca: readSecret('security.tls.ca', ca) }),
    ...(cert !== undefined && { cert: readSecret('security.tls.cert', cert) }),
    ...(key !== undefined && { key: readSecret('security.tls.key', key) }),
  };
}

type Provider = (sasl: SASLOptions) => (args: AuthenticationProviderArgs) => Authenticator;
type Login = Exclude<KafkaSasl, { readonly mechanism: 'oauthbearer' }>;

const providers: Readonly<Record<Login['mechanism'], string>> = {
  plain: 'plain',
  'scram-sha-256': 'scram256',
  'scram-sha-512': 'scram512',
};

function authenticationBy(sasl: KafkaSasl): (args: AuthenticationProviderArgs) => Authenticator {
  if (sasl.mechanism === 'oauthbearer') return bearerToken(sasl.token);
  const provider = require(`kafkajs/src/broker/saslAuthenticator/${providers[sasl.mechanism]}`) as Provider;
  return args => ({ authenticate: () => provider(loginOf(sasl))(args).authenticate() });
}

function loginOf({ mechanism, ...login }: Login): SASLOptions {
  const username = readSecret('security.sasl.username', login.username);
  const password = readSecret('security.sasl.password', login.password);
  return { mechanism, username, password };
}
