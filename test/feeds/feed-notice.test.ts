import { describe, expect, it } from 'vitest';
import { noticeOf } from '../../src/feeds/feed-notice.ts';

describe('notices of a live feed', () => {
  it('name the host and nothing behind it, where a key may stand', () => {
    expect(noticeOf({ kind: 'connected', url: 'wss://feed.example.org/ws?token=secret' })).toEqual({
      level: 'info',
      text: 'connected to feed.example.org',
    });
  });

  it('warn where data may be missing, and say why', () => {
    expect(noticeOf({ kind: 'resync', symbol: 'BTC-USD', reason: 'update 7 after 5' })).toEqual({
      level: 'warn',
      text: 'the book of BTC-USD is silent until it is whole again: update 7 after 5',
    });
    expect(noticeOf({ kind: 'error', text: 'unknown channel' }).level).toBe('warn');
  });

  it('pass no more on than people read', () => {
    expect(noticeOf({ kind: 'error', text: 'x'.repeat(100_000) }).text.length).toBeLessThan(600);
  });
});
