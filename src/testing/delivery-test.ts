import { type Observable, map } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { type Delivery, settlement } from '../core/delivery.ts';
import { DeliverySources, type DeliverySource, type Givens } from './delivery-sources.ts';
import { compareFrames, compareText } from './compare-frames.ts';
import { SettlementLedger } from './settlement-ledger.ts';
import { type SettlementMarbles, settlementLines } from './settlement-marbles.ts';

/** What stands at the end of the chain under test. */
export interface EndOptions<B> {
  /** Subscription marbles, as `^--!`; default: from the start, and never unsubscribed. */
  readonly subscription?: string;
  /** What becomes of what reaches the end; default: values are acked, failures nacked. `leave`: nothing. */
  readonly settle?: 'leave' | ((delivery: Delivery<B>) => void);
}

/** What is expected of settlements: marbles in virtual time, names as in the sources. */
export interface ExpectedSettlements {
  /** Default: none. */
  readonly acked?: SettlementMarbles;
  /** Default: none. */
  readonly nacked?: SettlementMarbles;
  /** Names of deliveries that nobody has settled at the end, in their order; default: none. */
  readonly inFlight?: string;
  /** Names of deliveries that their source took back when it was unsubscribed from, or failed; default: any. */
  readonly takenBack?: string;
}

/** Makes a source of deliveries; `F` is a failure unless the values say otherwise. */
type MakeSource = <A = string>(marbles: string, values?: Givens<A>, error?: unknown) => DeliverySource<A>;

/** What a marble test of deliveries works with. */
export interface DeliveryKit {
  readonly scheduler: TestScheduler;
  readonly ledger: SettlementLedger;
  /** Deliveries from marbles, from the subscription on. Without values each letter is its own value. */
  readonly cold: MakeSource;
  /** Deliveries from marbles, whether somebody subscribes or not; each subscriber gets duties of its own. */
  readonly hot: MakeSource;
  /**
   * What leaves the chain. Values are compared deeply, failures with {@link failureWith}. Subscribes, settles
   * what comes, and is checked when the test has run.
   */
  readonly expectDeliveries: <B>(
    chain: Observable<Delivery<B>>,
    end?: EndOptions<B>,
  ) => { toBe(marbles: string, values?: Readonly<Record<string, unknown>>, error?: unknown): void };
  /** When the source was subscribed to and unsubscribed from. */
  readonly expectSubscriptions: (source: DeliverySource<unknown>) => {
    toBe(marbles: string | string[]): void;
  };
  /** The settlements that the test must have seen when it has run; all that is not named must not be. */
  readonly expectSettled: (expected: ExpectedSettlements) => void;
  /** Runs at a virtual time, ms, after what the marbles put there. */
  readonly at: (timeMs: number, check: () => void) => void;
}

/**
 * A marble test of deliveries in virtual time. Fails by itself where a delivery is unsettled at the end and
 * `expectSettled` does not say so, or where one was settled twice, even if nobody heard of that.
 *
 * @example
 * deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
 *   const source = hot('--a--F--b--|', { a: 1, b: 2 });
 *   expectDeliveries(source.pipe(mapValues(x => x * 10))).toBe('--a--F--b--|', {
 *     a: 10, F: failureWith('handle'), b: 20,
 *   });
 *   expectSettled({ acked: '--a-----b', nacked: '-----F' });
 * });
 */
export function deliveryTest(run: (kit: DeliveryKit) => void): void {
  const scheduler = new TestScheduler(compareFrames);
  const ledger = new SettlementLedger(() => scheduler.frame);
  let expected: Expected | undefined;
  scheduler.run(({ expectObservable, expectSubscriptions }) => {
    const sources = new DeliverySources(scheduler, ledger);
    run({
      scheduler,
      ledger,
      cold: (marbles, values, error) => sources.cold(marbles, values, error),
      hot: (marbles, values, error) => sources.hot(marbles, values, error),
      expectDeliveries: (chain, end = {}) =>
        expectObservable(chain.pipe(map(delivery => arrive(delivery, end))), end.subscription),
      expectSubscriptions: source => expectSubscriptions(source.subscriptions),
      expectSettled: settled => {
        // Marbles mean milliseconds only while the test runs.
        expected = {
          ...settled,
          acked: settlementLines(settled.acked),
          nacked: settlementLines(settled.nacked),
        };
      },
      // Scheduled once more when its time has come, it stands behind everything else of that time.
      at: (timeMs, check) => void scheduler.schedule(() => void scheduler.schedule(check), timeMs),
    });
  });
  checkLedger(ledger, expected);
}

/** What a delivery is compared by, once it has been settled as the test wants it. */
function arrive<B>(delivery: Delivery<B>, { settle }: EndOptions<B>): unknown {
  if (typeof settle === 'function') settle(delivery);
  else if (settle === undefined && delivery.ok) delivery[settlement].ack();
  else if (settle === undefined) delivery[settlement].nack();
  return delivery.ok ? delivery.value : delivery.failure;
}

/** The marbles as lines. */
interface Expected extends ExpectedSettlements {
  readonly acked: string;
  readonly nacked: string;
}

function checkLedger(ledger: SettlementLedger, expected: Expected | undefined): void {
  compareText('settled twice', ledger.settledTwice.join(''), '');
  compareText('unsettled at the end', ledger.inFlight.join(''), expected?.inFlight ?? '');
  if (expected === undefined) return;
  const settled = (outcome: 'acked' | 'nacked'): string =>
    ledger.settled
      .filter(entry => entry.outcome === outcome)
      .map(entry => `${entry.settledAt} ${entry.name}`)
      .join('\n');
  compareText('acked (ms and name)', settled('acked'), expected.acked);
  compareText('nacked (ms and name)', settled('nacked'), expected.nacked);
  if (expected.takenBack === undefined) return;
  const takenBack = ledger.entries.filter(entry => entry.outcome === 'taken back');
  compareText('taken back', takenBack.map(({ name }) => name).join(''), expected.takenBack);
}
