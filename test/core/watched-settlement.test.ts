import { describe, expect, it } from 'vitest';
import {
  JoinedSettlement,
  SettledTwiceError,
  type Settlement,
  SharedSettlement,
} from '../../src/core/settlement.ts';
import { WatchedSettlement, visitWatched } from '../../src/core/watched-settlement.ts';
import { SettlementLedger } from '../../src/testing/index.ts';

class Heard extends WatchedSettlement {
  readonly outcomes: string[] = [];

  protected settling(outcome: 'acked' | 'nacked'): void {
    this.outcomes.push(outcome);
  }
}

function watched(): { readonly ledger: SettlementLedger; readonly duty: Heard } {
  const ledger = new SettlementLedger(() => 0);
  return { ledger, duty: new Heard(ledger.open('a', 3)) };
}

describe('WatchedSettlement', () => {
  it('tells of an ack and of a nack, and passes them on', () => {
    const { ledger, duty } = watched();
    duty.ack();
    const other = new Heard(ledger.open('b'));
    other.nack(70);
    expect([...duty.outcomes, ...other.outcomes]).toEqual(['acked', 'nacked']);
    expect(ledger.settled.map(({ outcome, nackDelayMs }) => [outcome, nackDelayMs])).toEqual([
      ['acked', undefined],
      ['nacked', 70],
    ]);
  });

  it('is of the attempt, and taken back, as what it stands before', () => {
    const { ledger, duty } = watched();
    expect([duty.attempt, duty.revoked, duty.signal.aborted]).toEqual([3, false, false]);
    ledger.takeBack('a');
    expect([duty.revoked, duty.signal.aborted]).toEqual([true, true]);
  });

  it('is revoked for its holder once it has been taken over, and settled by who took it', () => {
    const { ledger, duty } = watched();
    const { signal } = duty;
    const parent = duty.takeOver();
    expect([duty.revoked, signal.aborted, duty.signal.aborted, parent.revoked]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    duty.nack();
    parent.ack();
    expect(ledger.count('acked')).toBe(1);
    expect(duty.outcomes).toEqual([]);
  });

  it('throws when it is settled twice, also after it was taken over', () => {
    const { duty } = watched();
    duty.ack();
    expect(() => duty.ack()).toThrow(SettledTwiceError);
    const other = watched().duty;
    other.takeOver();
    other.ack();
    expect(() => other.nack()).toThrow(SettledTwiceError);
  });
});

describe('visitWatched', () => {
  const visited = (duty: Settlement): WatchedSettlement[] => {
    const found: WatchedSettlement[] = [];
    visitWatched(duty, one => found.push(one));
    return found;
  };

  it('finds those of a share, of a batch, and those that stand before each other', () => {
    const { ledger, duty } = watched();
    const inner = new Heard(duty);
    const plain = ledger.open('b');
    const shared = new SharedSettlement(inner);
    expect(visited(inner)).toEqual([inner, duty]);
    expect(visited(shared.share())).toEqual([inner, duty]);
    expect(visited(new JoinedSettlement([plain, shared.share()]))).toEqual([inner, duty]);
    expect(visited(plain)).toEqual([]);
  });
});
