import { hash } from 'node:crypto';
import { MessageHeaders } from './headers.ts';
import type { Message, MessageId } from './message.ts';

/** The headers that tell where a message comes from. */
export const provenance = {
  correlation: 'correlation-id',
  causation: 'causation-id',
  trace: 'traceparent',
  schemaVersion: 'schema-version',
} as const;

/** Ids are 32 hex digits: as long as a W3C trace id. */
const traceIdPattern = /^[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The id that all messages with the same first cause share: the first cause's own. */
export function correlationOf(message: Message): string {
  return message.headers.get(provenance.correlation) ?? message.id;
}

/**
 * The headers of a message that another one caused: its correlation id goes on, its id becomes the causation
 * id, and its W3C trace goes on with a new span.
 */
export function causedBy(parent: Message, id: MessageId, schemaVersion: string): MessageHeaders {
  const correlation = correlationOf(parent);
  const trace =
    traceIdPattern.exec(parent.headers.get(provenance.trace) ?? '')?.[1] ?? asTraceId(correlation);
  return MessageHeaders.fromFlat([
    provenance.correlation,
    correlation,
    provenance.causation,
    parent.id,
    provenance.trace,
    `00-${trace}-${id.slice(0, 16)}-01`,
    provenance.schemaVersion,
    schemaVersion,
  ]);
}

const usableTraceId = /^(?!0{32})[0-9a-f]{32}$/;

/** The correlation id itself where it can be a trace id, else one that is the same for the same correlation id. */
function asTraceId(correlation: string): string {
  return usableTraceId.test(correlation) ? correlation : hash('sha256', correlation, 'hex').slice(0, 32);
}
