import { isRight } from 'fp-ts/lib/Either.js';
import { marketTopics } from '../../../pipelines/index.ts';

/** What a payload says, in lines for people. */
export interface PayloadView {
  /** What the lines are: the codec's name, or what was found instead. */
  readonly form: string;
  /** Why the codec of its topic does not take it. */
  readonly refusal: string | undefined;
  readonly lines: readonly string[];
}

/** Text is shown up to here, characters; bytes as hex up to there. */
const [maxText, maxHex] = [4_096, 512];
const hexPerLine = 16;

/** A payload as its topic's codec reads it, as JSON is to have it. */
export interface DecodedPayload {
  /** The codec's name; null where none is known for the topic. */
  readonly codec: string | null;
  /** The value; null where there is none. */
  readonly value: unknown;
  /** Why there is none; null where there is one. */
  readonly refusal: string | null;
}

/** What the codec of its topic makes of a payload, or why it makes nothing of it. */
export function decodePayload(topic: string, payload: Uint8Array | null): DecodedPayload {
  const codec = marketTopics.find(({ name }) => name === topic)?.codec;
  const nothing = { codec: codec?.name ?? null, value: null };
  if (payload === null) return { ...nothing, refusal: 'no payload: a tombstone' };
  if (codec === undefined) return { ...nothing, refusal: `no codec is known for topic ${topic}` };
  const decoded = codec.decode(payload);
  return isRight(decoded)
    ? { codec: codec.name, value: decoded.right, refusal: null }
    : { ...nothing, refusal: decoded.left.message };
}

/** A payload as its topic's codec reads it, else as text, else as hex; what is long is cut, with a note. */
export function viewPayload(topic: string, payload: Uint8Array | null): PayloadView {
  if (payload === null) return { form: 'a tombstone', refusal: undefined, lines: [] };
  const { codec, value, refusal: reason } = decodePayload(topic, payload);
  if (codec !== null && reason === null)
    return {
      form: codec,
      refusal: undefined,
      lines: textLines(JSON.stringify(value, null, 2), payload.length),
    };
  const refusal = codec === null || reason === null ? undefined : reason;
  const note = codec === null ? ', as no codec is known for its topic' : '';
  const text = asText(payload);
  return text === undefined
    ? { form: `bytes${note}`, refusal, lines: hexLines(payload) }
    : { form: `text${note}`, refusal, lines: textLines(text, payload.length) };
}

function asText(payload: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    return undefined;
  }
}

function textLines(text: string, bytes: number): readonly string[] {
  const lines = text.slice(0, maxText).split(/\r?\n/);
  return text.length <= maxText ? lines : [...lines, cutNote(bytes)];
}

function hexLines(payload: Uint8Array): readonly string[] {
  const shown = Buffer.from(payload.subarray(0, maxHex));
  const lines: string[] = [];
  for (let at = 0; at < shown.length; at += hexPerLine) {
    const row = shown.subarray(at, at + hexPerLine);
    const hex = [...row].map(byte => byte.toString(16).padStart(2, '0')).join(' ');
    const text = row.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(3 * hexPerLine)} ${text}`);
  }
  return payload.length <= maxHex ? lines : [...lines, cutNote(payload.length)];
}

function cutNote(bytes: number): string {
  return `... cut here: ${bytes.toLocaleString('en-US')} bytes in all; --json gives them`;
}
