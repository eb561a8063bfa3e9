import { hash } from 'node:crypto';
import { originOf } from './derived-message.ts';
import { type LateText, MessageHeaders } from './headers.ts';
import { type Message, type MessageId, messageId } from './message.ts';

/** The headers that tell where a message comes from. */
export const provenance = {
  correlation: 'correlation-id',
  causation: 'causation-id',
  trace: 'traceparent',
  schemaVersion: 'schema-version',
} as const;

const names = [provenance.correlation, provenance.causation, provenance.trace, provenance.schemaVersion];

/** The id that all messages with the same first cause share: the first cause's own. */
export function correlationOf(message: Message): string {
  return message.headers.get(provenance.correlation) ?? originOf(message).id;
}

/**
 * The headers of a message that another one caused: its correlation id goes on, its id becomes the causation
 * id, and its W3C trace goes on with a new span.
 */
export function causedBy(parent: Message, id: MessageId, schemaVersion: string): MessageHeaders {
  const correlation = correlationOf(parent);
  const trace = traceOf(parent) ?? asTraceId(correlation);
  return MessageHeaders.from(names, [correlation, originOf(parent).id, new Span(trace, id), schemaVersion]);
}

/**
 * The trace that begins with a message that nothing here has caused: its id is also the trace's, so that replays have
 * the same. Put together when it is read, for most are not.
 */
export function beginningTrace(id: MessageId): LateText {
  return new Span(asTraceId(id), id);
}

/** The W3C `traceparent` of what is done elsewhere because of a message: its trace, with a span for this `doing`. */
export function traceparentBehind(parent: Message, doing: string): string {
  const span = messageId(hash('sha256', `${doing} ${parent.id}`, 'hex'));
  return new Span(traceOf(parent) ?? asTraceId(correlationOf(parent)), span).toString();
}

/** A W3C traceparent: the trace, and the span of the message with this id. */
class Span implements LateText {
  readonly trace: string;
  readonly #id: MessageId;

  constructor(trace: string, id: MessageId) {
    this.trace = trace;
    this.#id = id;
  }

  get length(): number {
    return 55;
  }

  toString(): string {
    return `00-${this.trace}-${this.#id.slice(0, 16)}-01`;
  }
}

/** Ids are 32 hex digits: as long as a W3C trace id. */
const traceparentPattern = /^[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace that a message is part of, where it says so. */
function traceOf({ headers }: Message): string | undefined {
  const held = headers.held(provenance.trace);
  if (held instanceof Span) return held.trace;
  const text = held === undefined ? undefined : headers.get(provenance.trace);
  return text !== undefined && traceparentPattern.test(text) ? text.slice(3, 35) : undefined;
}

const usableTraceId = /^(?!0{32})[0-9a-f]{32}$/;

/** The correlation id itself where it can be a trace id, else one that is the same for the same correlation id. */
function asTraceId(correlation: string): string {
  return usableTraceId.test(correlation) ? correlation : hash('sha256', correlation, 'hex').slice(0, 32);
}
