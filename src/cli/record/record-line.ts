import type { HeaderValue, MessageHeaders } from '../../core/headers.ts';
import type { Message } from '../../core/message.ts';
import type { Topic } from '../../core/topic.ts';

/** A message as a JSON line: its value decoded, or what its codec refused as base64 under `payload`. */
export function recordLine({ codec }: Pick<Topic<unknown>, 'codec'>, message: Message): string {
  const { id, topic, partition, offset, key, timestamp, logTime, headers, payload } = message;
  const decoded = payload === null ? undefined : codec.decode(payload);
  const body =
    payload === null
      ? { value: null }
      : decoded?._tag === 'Right'
        ? { value: decoded.right }
        : { payload: Buffer.from(payload).toString('base64') };
  return `${JSON.stringify({ topic, partition, offset, id, key, timestamp, logTime, headers: plainHeaders(headers), ...body })}\n`;
}

/** Headers as an object; a name that repeats has all its values. */
function plainHeaders(headers: MessageHeaders): Record<string, string | string[]> {
  const plain: Record<string, string | string[]> = {};
  for (const [name, value] of headers) {
    const text = textOf(value);
    const before = plain[name];
    plain[name] = before === undefined ? text : [before, text].flat();
  }
  return plain;
}

function textOf(value: HeaderValue): string {
  return typeof value === 'string' ? value : `base64:${Buffer.from(value).toString('base64')}`;
}
