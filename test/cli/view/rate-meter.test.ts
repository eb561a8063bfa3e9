import { describe, expect, it } from 'vitest';
import { RateMeter } from '../../../src/cli/view/rate-meter.ts';

describe('RateMeter', () => {
  it('knows nothing from fewer than two samples', () => {
    const meter = new RateMeter();
    expect(meter.perSecond()).toBeUndefined();
    meter.add(0, 10);
    expect(meter.perSecond()).toBeUndefined();
    expect(meter.timeTo(20)).toBeUndefined();
  });

  it('gives the rate of the window alone', () => {
    const meter = new RateMeter({ windowMs: 1_000 });
    [0, 500, 1_000, 1_500, 2_000].forEach((at, index) => meter.add(at, index < 3 ? 0 : (index - 2) * 100));
    expect(meter.perSecond()).toBe(200);
    expect(meter.timeTo(300)).toBe(500);
  });

  it('has no time left to a goal that is reached, and none to tell while it stands still', () => {
    const meter = new RateMeter();
    meter.add(0, 5);
    meter.add(1_000, 5);
    expect(meter.perSecond()).toBe(0);
    expect(meter.timeTo(5)).toBe(0);
    expect(meter.timeTo(6)).toBeUndefined();
  });

  it('starts afresh when the counter falls, and survives a clock that stands or goes back', () => {
    const meter = new RateMeter();
    meter.add(0, 100);
    meter.add(1_000, 200);
    meter.add(2_000, 0);
    expect(meter.perSecond()).toBeUndefined();
    meter.add(3_000, 50);
    meter.add(2_500, 60);
    expect(meter.perSecond()).toBe(60);
  });

  it('holds a bounded number of samples', () => {
    const meter = new RateMeter({ windowMs: 1e9, maxSamples: 3 });
    for (let at = 0; at <= 10; at += 1) meter.add(at * 1_000, at < 8 ? 0 : at);
    expect(meter.perSecond()).toBe(1);
    expect(() => new RateMeter({ windowMs: 0 })).toThrow(RangeError);
  });
});
