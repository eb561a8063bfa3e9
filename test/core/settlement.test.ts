import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { all, ok, settlement } from '../../src/core/delivery.ts';
import {
  JoinedSettlement,
  SettledTwiceError,
  type Settlement,
  SharedSettlement,
} from '../../src/core/settlement.ts';
import { SettlementLedger, messageOf } from '../../src/testing/index.ts';

describe('SharedSettlement', () => {
  it('acks once it is closed and every share is acked', () => {
    const ledger = new SettlementLedger(() => 0);
    const shared = new SharedSettlement(ledger.open('a'));
    const shares = [shared.share(), shared.share()];
    shares[0]?.ack();
    shares[1]?.ack();
    expect(ledger.inFlight).toEqual(['a']);
    shared.close();
    expect(ledger.count('acked')).toBe(1);
  });

  it('acks at once when it is closed without shares', () => {
    const ledger = new SettlementLedger(() => 0);
    new SharedSettlement(ledger.open('a')).close();
    expect(ledger.count('acked')).toBe(1);
  });

  // Kills: acking with the first share, forgetting an earlier nack, the shortest or the last delay, settling
  // before the closing.
  it('settles its parent once, after all, nacked where one was, with the longest delay', () => {
    const outcome = fc.option(fc.nat(50), { nil: undefined });
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 6 }), fc.nat(6), (delays, closeAfter) => {
        const ledger = new SettlementLedger(() => 0);
        const shared = new SharedSettlement(ledger.open('a'));
        const shares = delays.map(() => shared.share());
        const steps = delays.map((delay, i) => () => settle(shares[i], delay));
        steps.splice(Math.min(closeAfter, steps.length), 0, () => shared.close());
        steps.forEach((step, i) => {
          expect(ledger.inFlight).toEqual(['a']);
          step();
          if (i < steps.length - 1) expect(ledger.inFlight).toEqual(['a']);
        });
        const nacks = delays.filter(delay => delay !== undefined);
        const entry = ledger.entries[0];
        expect(entry?.outcome).toBe(nacks.length > 0 ? 'nacked' : 'acked');
        expect(entry?.nackDelayMs).toBe(nacks.length > 0 ? Math.max(...nacks) : undefined);
      }),
    );
  });

  it('refuses to settle a share twice, which leaves the others alone', () => {
    const ledger = new SettlementLedger(() => 0);
    const shared = new SharedSettlement(ledger.open('a'));
    const [first, second] = [shared.share(), shared.share()];
    shared.close();
    first.ack();
    expect(() => first.nack()).toThrow(SettledTwiceError);
    expect(ledger.inFlight).toEqual(['a']);
    second.ack();
    expect(ledger.count('acked')).toBe(1);
  });

  it('shows the parent through its shares', () => {
    const ledger = new SettlementLedger(() => 0);
    const parent = ledger.open('a', 3);
    const share = new SharedSettlement(parent).share();
    expect([share.attempt, share.revoked, share.signal.aborted]).toEqual([3, false, false]);
    parent.takeBack();
    expect([share.revoked, share.signal.aborted]).toEqual([true, true]);
  });
});

describe('JoinedSettlement and all', () => {
  it('settles every member, in order', () => {
    const ledger = new SettlementLedger(() => 0);
    new JoinedSettlement(['a', 'b'].map(name => ledger.open(name))).ack();
    new JoinedSettlement(['c', 'd'].map(name => ledger.open(name))).nack(7);
    expect(ledger.entries.map(({ outcome, nackDelayMs }) => [outcome, nackDelayMs])).toEqual([
      ['acked', undefined],
      ['acked', undefined],
      ['nacked', 7],
      ['nacked', 7],
    ]);
  });

  it('is revoked only once every member is, so that nobody throws away those that are not', () => {
    const ledger = new SettlementLedger(() => 0);
    const members = [ledger.open('a', 1), ledger.open('b', 4)];
    const joined = new JoinedSettlement(members);
    const { signal } = joined;
    expect([joined.attempt, joined.revoked, signal.aborted]).toEqual([4, false, false]);
    members[1]?.takeBack();
    expect([joined.revoked, signal.aborted, joined.signal.aborted]).toEqual([false, false, false]);
    members[0]?.takeBack();
    expect([joined.revoked, signal.aborted, joined.signal.aborted]).toEqual([true, true, true]);
  });

  it('makes one delivery of many, with the last message', () => {
    const ledger = new SettlementLedger(() => 0);
    const batch = all([1, 2].map(n => ok(n, messageOf({ offset: n }), ledger.open(String(n)))));
    expect([batch.value, batch.message.offset]).toEqual([[1, 2], 2]);
    batch.map(list => list.length)[settlement].ack();
    expect(ledger.count('acked')).toBe(2);
    expect(() => all([])).toThrow(RangeError);
  });
});

function settle(share: Settlement | undefined, nackDelayMs: number | undefined): void {
  if (nackDelayMs === undefined) share?.ack();
  else share?.nack(nackDelayMs);
}
