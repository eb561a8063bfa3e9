/** One line of a recorded exchange session. */
export type LogLine =
  /** A frame that was received. */
  | { readonly kind: 'frame'; readonly receivedAt: number; readonly text: string }
  /** The answer to a REST request. */
  | { readonly kind: 'rest'; readonly url: string; readonly receivedAt: number; readonly text: string }
  /** A connection was made: what was known of the one before it ends. */
  | { readonly kind: 'open'; readonly url: string }
  /** A frame that was sent to the venue. */
  | { readonly kind: 'sent'; readonly url: string; readonly text: string };

const nanoseconds = /^(\d{16,20}) (?=[[{])/;
const seconds = /^(\d{9,11}(?:\.\d+)?): ?/;
const session = /^((?:wss?|https?):\/\/\S+) (<->|<-|->) ?/;

const fromSeconds = (text: string): number => Math.floor(Number(text) * 1000 + 0.0005);
const fromNanoseconds = (text: string): number => Number(text.slice(0, -6));

/**
 * A line in one of the three forms `recv_ns {json}`, `<unix s>: <JSON>` and `<url> <- ...` or
 * `<url> -> <s>: <JSON>`; undefined where it has none of them.
 */
export function parseLogLine(line: string): LogLine | undefined {
  const ns = nanoseconds.exec(line);
  if (ns !== null) {
    return { kind: 'frame', receivedAt: fromNanoseconds(ns[1] ?? ''), text: line.slice(ns[0].length) };
  }
  const s = seconds.exec(line);
  if (s !== null)
    return { kind: 'frame', receivedAt: fromSeconds(s[1] ?? ''), text: line.slice(s[0].length) };
  const head = session.exec(line);
  if (head === null) return undefined;
  const url = head[1] ?? '';
  const rest = line.slice(head[0].length);
  if (head[2] === '<->') return { kind: 'open', url };
  const stamp = seconds.exec(rest);
  const text = rest.slice(stamp?.[0].length ?? 0);
  if (head[2] === '<-') return { kind: 'sent', url, text };
  return { kind: 'rest', url, receivedAt: fromSeconds(stamp?.[1] ?? ''), text };
}
