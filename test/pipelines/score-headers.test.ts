import { describe, expect, it } from 'vitest';
import { stateKeyTold, toldOf } from '../../pipelines/score-headers.ts';
import { stateKey } from '../../pipelines/symbol-key.ts';
import { MessageHeaders } from '../../src/index.ts';
import { messageOf } from '../../src/testing/index.ts';
import { score } from './scores-at-hand.ts';

describe('the key of state of a score', () => {
  const given = score();
  const unread = {
    get value(): never {
      throw new Error('it was read');
    },
  };

  it('is told by its headers, without reading it', () => {
    const message = messageOf({ key: given.symbol, headers: MessageHeaders.of(toldOf(given)) });
    expect(stateKeyTold(message, unread)).toBe(stateKey(given));
  });

  it('is that of the score where no header tells, or no key', () => {
    const headers = MessageHeaders.of(toldOf(given));
    for (const message of [messageOf({ key: given.symbol }), messageOf({ key: null, headers })]) {
      expect(stateKeyTold(message, { value: given })).toBe(stateKey(given));
    }
  });
});
