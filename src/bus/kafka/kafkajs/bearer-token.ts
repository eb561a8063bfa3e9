import { createRequire } from 'node:module';
import type { AuthenticationProviderArgs, Authenticator } from 'kafkajs';

const require = createRequire(import.meta.url);

type Request = Parameters<AuthenticationProviderArgs['saslAuthenticate']>[0]['request'];

/**
 * Authentication by a bearer token (SASL OAUTHBEARER, RFC 7628), asked for at each connection. A broker that refuses
 * one says so in an answer that looks like success, which kafkajs's own authenticator does not read: the connection
 * ended with the next request, as if the broker were away.
 */
export function bearerToken(
  token: () => Promise<string>,
): (args: AuthenticationProviderArgs) => Authenticator {
  const firstMessage = require('kafkajs/src/protocol/sasl/oauthBearer/request') as (
    sasl: object,
    token: { readonly value: string },
  ) => Promise<Request>;
  return ({ saslAuthenticate }) => ({
    authenticate: async () => {
      const request = await firstMessage({}, { value: await token() });
      const refusal = await saslAuthenticate<string>({
        request,
        response: { decode: answer => answer.subarray(sizeBytes), parse: said => said.toString() },
      }).catch((error: unknown) => {
        throw refused(error instanceof Error ? error.message : String(error));
      });
      if (typeof refusal === 'string' && refusal !== '') throw refused(refusal);
    },
  });
}

/** Of the length that stands before the answer. */
const sizeBytes = 4;

function refused(said: string): Error {
  const { KafkaJSSASLAuthenticationError } = require('kafkajs/src/errors') as {
    readonly KafkaJSSASLAuthenticationError: new (text: string) => Error;
  };
  return new KafkaJSSASLAuthenticationError(`the token was refused: ${said}`);
}
