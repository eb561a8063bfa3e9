import type { Connection, Reader, Writer } from '@platformatic/kafka';

/** A request of Kafka's protocol in a version without tagged fields. */
export interface RawRequest<A> {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly encode: () => Writer;
  readonly decode: (reader: Reader) => A;
}

/** Sends a request that the client does not have, or has in a form that is of no use here. */
export function sendRaw<A>(
  connection: Connection,
  { apiKey, apiVersion, encode, decode }: RawRequest<A>,
): Promise<A> {
  return new Promise((resolve, reject) => {
    connection.send<A>(
      apiKey,
      apiVersion,
      encode,
      (_correlation, _api, _version, reader) => decode(reader),
      false,
      false,
      (error, answer) => {
        if (error) reject(error);
        else resolve(answer as A);
      },
    );
  });
}
