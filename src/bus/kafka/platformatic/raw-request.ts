import type { Connection, Reader, Writer } from '@platformatic/kafka';

/** A request of Kafka's protocol. */
export interface RawRequest<A> {
  readonly apiKey: number;
  readonly apiVersion: number;
  /** Whether this version has tagged fields; default: false. */
  readonly isFlexible?: boolean;
  readonly encode: () => Writer;
  readonly decode: (reader: Reader) => A;
}

/** Sends a request that the client does not have, or has in a form that is of no use here. */
export function sendRaw<A>(
  connection: Connection,
  { apiKey, apiVersion, isFlexible = false, encode, decode }: RawRequest<A>,
): Promise<A> {
  return new Promise((resolve, reject) => {
    connection.send<A>(
      apiKey,
      apiVersion,
      encode,
      (_correlation, _api, _version, reader) => decode(reader),
      isFlexible,
      isFlexible,
      (error, answer) => {
        if (error) reject(error);
        else resolve(answer as A);
      },
    );
  });
}
