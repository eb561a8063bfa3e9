import { describe, expect, it } from 'vitest';
import { rawCodec } from '../../src/core/codec.ts';
import { defaultTopicSettings, topic } from '../../src/core/topic.ts';

describe('topic', () => {
  it('fills in the settings that are not named', () => {
    const { name, settings } = topic('cryptorun-prices_1.x', rawCodec, { partitions: 12 });
    expect([name, settings]).toEqual(['cryptorun-prices_1.x', { ...defaultTopicSettings, partitions: 12 }]);
  });

  it.each(['', '.', '..', 'a b', 'a/b', 'ä', 'x'.repeat(250), '../x'])('refuses the name %j', name => {
    expect(() => topic(name, rawCodec)).toThrow(`topic name "${name}"`);
  });

  it('takes a name of 249 characters', () => {
    expect(topic('x'.repeat(249), rawCodec).name).toHaveLength(249);
  });

  it.each([
    ['partitions', 0],
    ['replication', 1.5],
    ['maxMessageBytes', Number.NaN],
  ])('refuses %s of %d', (setting, value) => {
    expect(() => topic('t', rawCodec, { [setting]: value })).toThrow(
      `topic t: ${setting} is ${value}, must be a whole number from 1`,
    );
  });

  it.each([
    ['retentionMs', -1],
    ['retentionMs', Number.NaN],
    ['retentionBytes', 0],
  ])('refuses %s of %d', (setting, value) => {
    expect(() => topic('t', rawCodec, { [setting]: value })).toThrow(`topic t: ${setting} is ${value}`);
  });
});
