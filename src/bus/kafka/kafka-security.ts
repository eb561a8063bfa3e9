/** A secret: itself, or where to find it; what is read from elsewhere is read again when a broker refuses it. */
export type Secret = string | { readonly env: string } | { readonly file: string };

/** How brokers are reached, and who asks. */
export interface KafkaSecurity {
  /** TLS: true trusts the system's authorities. */
  readonly tls?: boolean | KafkaTls;
  readonly sasl?: KafkaSasl;
}

/** PEM texts or where they are. */
export interface KafkaTls {
  /** The authority to trust instead of the system's. */
  readonly ca?: Secret;
  /** The client's certificate and key, for mutual TLS. */
  readonly cert?: Secret;
  readonly key?: Secret;
}

/** Who asks, and how it is proved. */
export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: Secret;
      readonly password: Secret;
    }
  | {
      readonly mechanism: 'oauthbearer';
      /** Asked for a token at each connection, and when one runs out. */
      readonly token: () => Promise<string>;
    };
