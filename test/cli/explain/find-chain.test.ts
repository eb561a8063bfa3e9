import { describe, expect, it } from 'vitest';
import { type ChainLink, findChain } from '../../../src/cli/explain/find-chain.ts';
import { messageOf } from '../../../src/testing/message-builder.ts';
import { keptMessages, readerOf } from './kept-messages.ts';

function topicsOf(links: readonly ChainLink[]): string[] {
  return links.map(link =>
    (link.found ? link.topic : `missing in ${link.topics.join(', ')}`).replaceAll('cryptorun-', ''),
  );
}

describe('findChain', () => {
  it('leads from an entry over gates, score and bar to the price that closed it', async () => {
    const { entry, all } = keptMessages();
    const { links, messages } = await findChain(readerOf(all), entry);
    expect(topicsOf(links)).toEqual([
      'signals',
      'gate-evaluations',
      'momentum-scores',
      'market-bars',
      'market-prices',
    ]);
    expect(messages.map(({ offset }) => offset)).toEqual([128, 77, 402, 511, 7_009]);
    expect(links.at(-1)).toMatchObject({
      via: 'cause',
      causationId: undefined,
      correlationId: '1'.repeat(32),
    });
  });

  it('ends with what is missing where retention took a message', async () => {
    const { entry, all } = keptMessages();
    const { links } = await findChain(readerOf(all, ['cryptorun-market-bars']), entry);
    expect(topicsOf(links)).toEqual([
      'signals',
      'gate-evaluations',
      'momentum-scores',
      'missing in market-bars, regime-detection',
    ]);
    expect(links.at(-1)).toMatchObject({ found: false, id: '2'.repeat(32) });
  });

  it('is the signal alone where nothing caused it, and never goes round', async () => {
    const alone = messageOf({ topic: 'cryptorun-signals', headers: {} });
    expect((await findChain(readerOf([alone]), alone)).links).toHaveLength(1);
    const own = messageOf({
      topic: 'cryptorun-signals',
      id: 'a'.repeat(32),
      headers: { 'causation-id': 'a'.repeat(32) },
    });
    expect(topicsOf((await findChain(readerOf([own]), own)).links)).toEqual([
      'signals',
      'missing in gate-evaluations, momentum-scores',
    ]);
  });
});
