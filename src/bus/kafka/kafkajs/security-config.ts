import type { KafkaConfig } from 'kafkajs';
import type { ConnectionOptions } from 'node:tls';
import type { KafkaSasl, KafkaSecurity, KafkaTls } from '../kafka-security.ts';
import { readSecret } from '../secrets.ts';

/** TLS and SASL as kafkajs wants them, with the secrets in their places. */
export async function securityConfig({
  tls,
  sasl,
}: KafkaSecurity): Promise<Pick<KafkaConfig, 'ssl' | 'sasl'>> {
  return {
    ...(tls !== undefined && { ssl: typeof tls === 'boolean' ? tls : await tlsConfig(tls) }),
    ...(sasl !== undefined && { sasl: await saslConfig(sasl) }),
  };
}

async function tlsConfig({ ca, cert, key }: KafkaTls): Promise<ConnectionOptions> {
  return {
    ...(ca !== undefined && { ca: await readSecret('security.tls.ca', ca) }),
    ...(cert !== undefined && { cert: await readSecret('security.tls.cert', cert) }),
    ...(key !== undefined && { key: await readSecret('security.tls.key', key) }),
  };
}

async function saslConfig(sasl: KafkaSasl): Promise<NonNullable<KafkaConfig['sasl']>> {
  if (sasl.mechanism === 'oauthbearer') {
    const { mechanism, token } = sasl;
    return { mechanism, oauthBearerProvider: async () => ({ value: await token() }) };
  }
  const username = await readSecret('security.sasl.username', sasl.username);
  const password = await readSecret('security.sasl.password', sasl.password);
  switch (sasl.mechanism) {
    case 'plain':
      return { mechanism: 'plain', username, password };
    case 'scram-sha-256':
      return { mechanism: 'scram-sha-256', username, password };
    case 'scram-sha-512':
      return { mechanism: 'scram-sha-512', username, password };
  }
}
