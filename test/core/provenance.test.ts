import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { deriveId, messageId } from '../../src/core/message.ts';
import {
  beginningTrace,
  causedBy,
  correlationOf,
  provenance,
  traceparentBehind,
} from '../../src/core/provenance.ts';
import { messageOf } from '../../src/testing/index.ts';

const childId = messageId('c'.repeat(32));

describe('causedBy', () => {
  it('begins a correlation and a trace with the first cause', () => {
    const parent = messageOf({ id: 'a'.repeat(32) });
    expect(correlationOf(parent)).toBe(parent.id);
    expect(Object.fromEntries(causedBy(parent, childId, '2'))).toEqual({
      'correlation-id': parent.id,
      'causation-id': parent.id,
      traceparent: `00-${'a'.repeat(32)}-${'c'.repeat(16)}-01`,
      'schema-version': '2',
    });
  });

  it('carries correlation and trace on, with a span of its own', () => {
    const trace = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-00`;
    const parent = messageOf({ headers: { [provenance.correlation]: 'order 7', [provenance.trace]: trace } });
    const headers = causedBy(parent, childId, '1');
    expect(headers.get(provenance.correlation)).toBe('order 7');
    expect(headers.get(provenance.causation)).toBe(parent.id);
    expect(headers.get(provenance.trace)).toBe(`00-${'1'.repeat(32)}-${'c'.repeat(16)}-01`);
  });

  it.each(['order 7', 'ß'.repeat(32), '0'.repeat(32), 'x'.repeat(40), ''])(
    'makes a legal trace of the correlation id %j',
    correlation => {
      const parent = messageOf({ headers: { [provenance.correlation]: correlation } });
      const trace = causedBy(parent, childId, '1').get(provenance.trace);
      expect(trace).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
    },
  );
});

describe('traces', () => {
  it('begin with the id of the first cause, as its span', () => {
    const id = messageId(`${'1'.repeat(16)}${'2'.repeat(16)}`);
    expect(String(beginningTrace(id))).toBe(`00-${id}-${'1'.repeat(16)}-01`);
  });

  it('go on behind a message with a span for each that acts on it, the same again each time', () => {
    const parent = messageOf({
      headers: { [provenance.trace]: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-00` },
    });
    const spans = ['webhook', 'other'].map(sink => traceparentBehind(parent, sink));
    for (const span of spans) expect(span).toMatch(/^00-1{32}-(?!2{16})[0-9a-f]{16}-01$/);
    expect(new Set(spans).size).toBe(2);
    expect(traceparentBehind(parent, 'webhook')).toBe(spans[0]);
  });
});

describe('deriveId', () => {
  it('is the same for the same, and another for any other part', () => {
    const id = deriveId('p', 't', 'k', 5, 0);
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(deriveId('p', 't', 'k', 5)).toBe(id);
    const others = [
      deriveId('q', 't', 'k', 5),
      deriveId('p', 'u', 'k', 5),
      deriveId('p', 't', 'l', 5),
      deriveId('p', 't', 'k', 6),
      deriveId('p', 't', 'k', 5, 1),
    ];
    expect(new Set([id, ...others]).size).toBe(6);
  });

  it('tells no key from an empty one', () => {
    expect(deriveId('p', 't', null, 5)).not.toBe(deriveId('p', 't', '', 5));
    expect(deriveId('p', 't', null, 5)).toBe(deriveId('p', 't', null, 5, 0));
  });

  it('is the beginning of the SHA-256 of its parts, so that it can be computed elsewhere', () => {
    const sha256 = (text: string): string => hash('sha256', text).slice(0, 32);
    expect(deriveId('p', 't', 'k', 5, 'x')).toBe(sha256('p|t|k|5|x'));
    expect(deriveId('p', 't', '', 5)).toBe(sha256('p|t||5|0'));
  });
});
