import type { Certificates } from './certificates.ts';
import type { Properties } from './server-properties.ts';

/** Tokens of OAUTHBEARER are unsigned: the broker only looks at whom they name, and until when. */
export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER';

/** What the listener for clients asks of them; those between the nodes stay open, on ports that are not advertised. */
export interface KafkaSecurity {
  readonly sasl?: readonly SaslMechanism[];
  /** `mutual` asks for a certificate of the client too; each user has one. */
  readonly tls?: 'server' | 'mutual';
  /** Nobody but super users may do what no ACL allows. */
  readonly acls?: boolean;
  readonly users?: readonly KafkaUser[];
}

export interface KafkaUser {
  readonly name: string;
  /** For SASL. */
  readonly password?: string;
  readonly superUser?: boolean;
}

/** Users in the form of the `--add-scram` option of Kafka's tool that formats storage. */
export function scramUsers({ sasl = [], users = [] }: KafkaSecurity): string[] {
  const scram = sasl.filter(mechanism => mechanism.startsWith('SCRAM'));
  return scram.flatMap(mechanism =>
    withPassword(users).map(({ name, password }) => `${mechanism}=[name=${name},password=${password}]`),
  );
}

/** Over those of the server without security. */
export function securityProperties(
  security: KafkaSecurity,
  certificates: Certificates | undefined,
): Properties {
  const { sasl = [], tls, acls = false, users = [] } = security;
  for (const { name, password = '' } of users) {
    if (!/^[\w.-]+$/.test(name) || !/^[\w.-]*$/.test(password)) {
      throw new Error(`the user "${name}" needs a name and a password of letters, digits, "_", "-" and "."`);
    }
  }
  if (acls && sasl.length === 0 && tls !== 'mutual') {
    throw new Error("acls tell users apart: they need sasl, or tls: 'mutual'");
  }
  const protocol = `${sasl.length > 0 ? 'SASL_' : ''}${tls === undefined ? 'PLAINTEXT' : 'SSL'}`;
  return {
    'listener.security.protocol.map': `CLIENT:${protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    ...saslProperties(sasl, users),
    ...(certificates === undefined ? {} : tlsProperties(certificates, tls === 'mutual')),
    ...(acls ? aclProperties(users) : {}),
  };
}

const loginModules: Readonly<Record<SaslMechanism, string>> = {
  PLAIN: 'plain.PlainLoginModule',
  'SCRAM-SHA-256': 'scram.ScramLoginModule',
  'SCRAM-SHA-512': 'scram.ScramLoginModule',
  OAUTHBEARER: 'oauthbearer.OAuthBearerLoginModule',
};

function saslProperties(mechanisms: readonly SaslMechanism[], users: readonly KafkaUser[]): Properties {
  if (mechanisms.length === 0) return {};
  const modules = 'org.apache.kafka.common.security';
  const plainUsers = withPassword(users).map(({ name, password }) => ` user_${name}="${password}"`);
  const jaas = mechanisms.map((mechanism): [string, string] => [
    `listener.name.client.${mechanism.toLowerCase()}.sasl.jaas.config`,
    `${modules}.${loginModules[mechanism]} required${mechanism === 'PLAIN' ? plainUsers.join('') : ''};`,
  ]);
  return { 'sasl.enabled.mechanisms': mechanisms.join(','), ...Object.fromEntries<string>(jaas) };
}

function tlsProperties({ ca, server }: Certificates, mutual: boolean): Properties {
  const listener = 'listener.name.client.ssl';
  return {
    [`${listener}.keystore.type`]: 'PEM',
    [`${listener}.keystore.location`]: server,
    [`${listener}.truststore.type`]: 'PEM',
    [`${listener}.truststore.location`]: ca,
    [`${listener}.client.auth`]: mutual ? 'required' : 'none',
    // A certificate for CN=alice makes its bearer the same user as the password of alice does.
    [`${listener}.principal.mapping.rules`]: 'RULE:^CN=([^,]+)$/$1/,DEFAULT',
  };
}

/** The nodes are among the super users, as those who need not say who they are. */
function aclProperties(users: readonly KafkaUser[]): Properties {
  const superUsers = users.filter(({ superUser }) => superUser).map(({ name }) => `User:${name}`);
  return {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': ['User:ANONYMOUS', ...superUsers].join(';'),
  };
}

function withPassword(users: readonly KafkaUser[]): { name: string; password: string }[] {
  return users.flatMap(({ name, password }) => (password === undefined ? [] : [{ name, password }]));
}
