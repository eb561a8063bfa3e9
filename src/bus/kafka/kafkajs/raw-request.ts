import { createRequire } from 'node:module';
import type { Broker } from 'kafkajs';

const require = createRequire(import.meta.url);

/** The parts of kafkajs that write and read its protocol, for requests that it does not have. */
export interface Encoder {
  writeInt8(value: number): Encoder;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeInt64(value: string): Encoder;
  writeBoolean(value: boolean): Encoder;
  writeString(value: string | null): Encoder;
  writeBytes(value: Buffer): Encoder;
  writeUVarInt(value: number): Encoder;
  writeUVarIntString(value: string | null): Encoder;
  writeEncoderArray(values: readonly Encoder[]): Encoder;
  writeArray(values: readonly unknown[], type?: string): Encoder;
}

export interface Decoder {
  readInt8(): number;
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readBoolean(): boolean;
  readString(): string | null;
  readBytes(): Buffer | null;
  readArray<A>(read: (decoder: Decoder) => A): A[];
  readUVarIntString(): string | null;
  readUVarIntArray<A>(read: (decoder: Decoder) => A): A[];
  readTaggedFields(): unknown;
}

interface Connection {
  send(exchange: unknown): Promise<unknown>;
}

/**
 * A request of Kafka's protocol. In versions with tagged fields its body begins, on both ways, with those of the
 * header, which kafkajs knows nothing of.
 */
export interface RawRequest<A> {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly apiName: string;
  readonly encode: (encoder: () => Encoder) => Encoder;
  readonly decode: (decoder: Decoder) => A;
  /** Default: true. */
  readonly isAnswered?: boolean;
  /** How long the broker may take its time, ms; default 0. */
  readonly heldMs?: number;
}

/** How long an answer that was held may be under way, ms; kafkajs waits longer where its own limit is larger. */
const networkMs = 1000;

/** An array as versions with tagged fields write it. */
export function compactArray(encoder: Encoder, values: readonly Encoder[]): Encoder {
  return encoder.writeUVarInt(values.length + 1).writeEncoderArray(values);
}

/** Writes that no tagged fields are here. */
export function untagged(encoder: Encoder): Encoder {
  return encoder.writeUVarInt(0);
}

/** Sends a request over the connection of kafkajs to a broker; undefined where it is not answered. */
export async function sendRaw<A>(
  broker: Broker,
  request: RawRequest<A> & { readonly isAnswered: boolean },
): Promise<A | undefined>;
export async function sendRaw<A>(broker: Broker, request: RawRequest<A>): Promise<A>;
export async function sendRaw<A>(broker: Broker, request: RawRequest<A>): Promise<A | undefined> {
  const EncoderClass = require('kafkajs/src/protocol/encoder') as new () => Encoder;
  const DecoderClass = require('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => Decoder;
  const { apiKey, apiVersion, apiName, encode, decode, isAnswered = true, heldMs = 0 } = request;
  const connection = (broker as unknown as { readonly connectionPool: Connection }).connectionPool;
  let answer: { readonly value: A } | undefined;
  await connection.send({
    request: {
      apiKey,
      apiVersion,
      apiName,
      expectResponse: () => isAnswered,
      encode: () => Promise.resolve(encode(() => new EncoderClass())),
    },
    requestTimeout: heldMs === 0 ? 0 : heldMs + networkMs,
    response: {
      decode: (buffer: Buffer) => {
        answer = { value: decode(new DecoderClass(buffer)) };
        return Promise.resolve(answer);
      },
      parse: (parsed: unknown) => Promise.resolve(parsed),
    },
  });
  if (answer === undefined && isAnswered) throw new Error(`${apiName} was not answered`);
  return answer?.value;
}

/** The error of the protocol with this code, as kafkajs throws it; undefined for none. */
export function protocolError(code: number, text: string | null): Error | undefined {
  if (code === 0) return undefined;
  const { createErrorFromCode } = require('kafkajs/src/protocol/error') as {
    readonly createErrorFromCode: (code: number) => Error;
  };
  const error = createErrorFromCode(code);
  if (text !== null && text !== '') error.message = text;
  return error;
}
