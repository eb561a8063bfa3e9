import { describe, expect, it } from 'vitest';
import { BuriedLetters } from '../../../src/cli/live/buried-letters.ts';
import { dlqHeaders } from '../../../src/core/dead-letter.ts';
import { MessageHeaders } from '../../../src/core/headers.ts';

const letter = (pipeline: string, reason: string): MessageHeaders =>
  MessageHeaders.of({ [dlqHeaders.pipeline]: pipeline, [dlqHeaders.reason]: reason });

describe('the dead letters of a run', () => {
  it('are counted by whom they are of, and by reason without what differs', () => {
    const buried = new BuriedLetters();
    buried.add(letter('bars', 'price -1 is not above 0'));
    buried.add(letter('feed simulator', 'line 7: no price'));
    buried.add(letter('bars', 'price -2.5 is not above 0'));
    // A pipeline of this name would be legal.
    buried.add(letter('feed', 'line 9: no price'));
    expect([buried.count, buried.ofFeed]).toEqual([4, 1]);
    expect(buried.reasons).toEqual([
      { reason: 'price <n> is not above <n>', count: 2 },
      { reason: 'line <n>: no price', count: 2 },
    ]);
  });

  it('are all counted, however many reasons there are', () => {
    const buried = new BuriedLetters();
    const words = Array.from({ length: 500 }, (_, n) => `reason ${String.fromCodePoint(0x4e00 + n)}`);
    for (const word of words) buried.add(letter('bars', word));
    expect(buried.count).toBe(500);
    expect(buried.reasons).toHaveLength(101);
    expect(buried.reasons[0]).toEqual({ reason: 'other reasons', count: 400 });
  });
});
