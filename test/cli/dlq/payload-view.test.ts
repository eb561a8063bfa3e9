import { describe, expect, it } from 'vitest';
import { marketPrices, notificationsTopic } from '../../../pipelines/index.ts';
import { decodePayload, viewPayload } from '../../../src/cli/dlq/payload-view.ts';

describe('viewPayload', () => {
  it('reads what the codec of its topic takes', () => {
    const price = { venue: 'x', symbol: 'BTC-USD', price: 5, time: 60_000 };
    const { form, refusal, lines } = viewPayload(marketPrices.name, marketPrices.codec.encode(price));
    expect({ form, refusal }).toEqual({ form: 'MarketPrice', refusal: undefined });
    expect(lines).toContain('  "price": 5,');
  });

  it('tells why the codec does not take it, and shows the text', () => {
    const { form, refusal, lines } = viewPayload(notificationsTopic.name, Buffer.from('non\nsense'));
    expect(form).toBe('text');
    expect(refusal).toContain('not JSON');
    expect(lines).toEqual(['non', 'sense']);
  });

  it.each([
    ['other', Buffer.from('Grüße'), 'text, as no codec is known for its topic', ['Grüße']],
    [
      'other',
      Buffer.from([0, 65, 255]),
      'bytes, as no codec is known for its topic',
      ['00000000  00 41 ff'.padEnd(58) + ' .A.'],
    ],
    ['other', null, 'a tombstone', []],
    ['other', Buffer.alloc(0), 'text, as no codec is known for its topic', ['']],
  ] as const)('of topic %s shows %j as %s', (topic, payload, form, lines) => {
    expect(viewPayload(topic, payload)).toEqual({ form, refusal: undefined, lines });
  });

  it('cuts what is long, and says so', () => {
    const text = viewPayload('other', Buffer.from('a'.repeat(1_048_576)));
    expect(text.lines.join('').length).toBeLessThan(4_200);
    expect(text.lines.at(-1)).toContain('1,048,576 bytes in all');
    const hex = viewPayload('other', Buffer.alloc(1_048_576, 255));
    expect(hex.lines).toHaveLength(33);
    expect(hex.lines.at(-1)).toContain('1,048,576 bytes in all');
  });
});

describe('decodePayload', () => {
  const price = { venue: 'x', symbol: 'BTC-USD', price: 5, time: 60_000 };

  it.each([
    [marketPrices.name, marketPrices.codec.encode(price), 'MarketPrice', price, null],
    [marketPrices.name, Buffer.from('{"venue":"x"'), 'MarketPrice', null, /not JSON/],
    [marketPrices.name, Buffer.from(JSON.stringify({ ...price, price: '5' })), 'MarketPrice', null, /price/],
    [marketPrices.name, null, 'MarketPrice', null, /^no payload: a tombstone$/],
    ['other', Buffer.from('5'), null, null, /^no codec is known for topic other$/],
    ['other', null, null, null, /^no payload: a tombstone$/],
  ] as const)('of topic %s makes of %s a value, or says why not', (topic, payload, codec, value, refusal) => {
    const decoded = decodePayload(topic, payload);
    expect(decoded).toMatchObject({ codec, value });
    if (refusal === null) expect(decoded.refusal).toBeNull();
    else expect(decoded.refusal).toMatch(refusal);
  });
});
