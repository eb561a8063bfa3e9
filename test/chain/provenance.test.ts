import { of } from 'rxjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { notificationsTopic } from '../../pipelines/index.ts';
import { type Message, Runtime, provenance } from '../../src/index.ts';
import type { SinkContext } from '../../src/worker/sinks/notification-sink.ts';
import { notificationSinks } from '../../src/worker/sinks/notification-sinks.ts';
import { type ChainResult, feedTopics, quickSettings, runChain } from './chain-run.ts';
import { marketFeed } from './small-market.ts';

/** What the headers of a message say of where it comes from. */
function originOf({ id, headers }: Message) {
  const [, trace, span] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(headers.get(provenance.trace) ?? '') ?? [];
  return {
    id,
    correlation: headers.get(provenance.correlation),
    cause: headers.get(provenance.causation),
    trace,
    span,
  };
}

describe('from the feed to the notification', () => {
  let result: ChainResult;
  let byId: ReadonlyMap<string, Message>;
  let notifications: readonly Message[];

  beforeAll(async () => {
    const settings = { ...quickSettings, barsFrom: 'prices' } as const;
    result = await runChain(
      between => marketFeed({ seed: 1, hours: 34, carries: 'bars' }, { batchSize: 100, between }),
      { settings },
    );
    const fed = result.driver.messages({ name: feedTopics.prices });
    byId = new Map([...fed, ...result.messages].map(message => [message.id, message]));
    notifications = result.messages.filter(({ topic }) => topic === notificationsTopic.name);
  });

  /** A message and what led to it, the feed's first. */
  function chainOf(message: Message): readonly Message[] {
    const chain: Message[] = [];
    for (let at: Message | undefined = message; at !== undefined; at = byId.get(originOf(at).cause ?? ''))
      chain.unshift(at);
    return chain;
  }

  it('there is an unbroken chain of causes', () => {
    expect(notifications.length).toBeGreaterThan(0);
    for (const notification of notifications) {
      expect(chainOf(notification).map(({ topic }) => topic.replace('cryptorun-', ''))).toEqual([
        'market-prices',
        'market-bars',
        'momentum-scores',
        'signals',
        'notifications',
      ]);
    }
  });

  it('all of it has the correlation id and the trace that the feed began, and each hop a span of its own', () => {
    for (const notification of notifications) {
      const chain = chainOf(notification).map(originOf);
      const [fed] = chain;
      for (const { correlation, trace } of chain) expect([correlation, trace]).toEqual([fed?.id, fed?.id]);
      const spans = chain.map(({ span }) => span);
      expect(spans).toEqual(chain.map(({ id }) => id.slice(0, 16)));
      expect(new Set(spans).size).toBe(chain.length);
    }
  });

  it('a sink is given the trace of its notification, with a span of its own', async () => {
    const told: SinkContext[] = [];
    const sink = { name: 'hook', deliver: (_: unknown, context: SinkContext) => of(told.push(context)) };
    const { bus, scheduler } = result.driver;
    const runtime = new Runtime(notificationSinks(notificationsTopic, [sink]), bus, { scheduler });
    await runtime.start();
    result.driver.runFor(1_000);
    runtime.stop();
    expect(told).toHaveLength(notifications.length);
    for (const { id, traceparent } of told) {
      const { trace, span } = originOf(byId.get(id) as Message);
      expect(traceparent).toMatch(new RegExp(`^00-${trace}-(?!${span})[0-9a-f]{16}-01$`));
    }
  });
});
