import { describe, expect, it } from 'vitest';
import type { LetterSummary } from '../../../src/cli/dlq/letter-answers.ts';
import { groupTable, letterTable } from '../../../src/cli/dlq/letter-tables.ts';
import { ProgressLine } from '../../../src/cli/dlq/progress-line.ts';
import { redriveSummary } from '../../../src/cli/dlq/redrive-summary.ts';
import type { RedriveReport } from '../../../src/dlq/redrive-tally.ts';

const report: RedriveReport = {
  job: 'redrive-0',
  before: 0,
  total: 1_000,
  looked: 500,
  matched: 0,
  sent: 0,
  edited: 0,
  skipped: { 'edited away': 0, 'in quarantine': 0, 'never a message': 0 },
  failed: 0,
  failures: [],
  outcome: 'done',
  groups: [],
};

describe('the summary of a redrive', () => {
  it.each<[string, Partial<RedriveReport>]>([
    ['Nothing new to send: the topic is empty.', { total: 0 }],
    ['Nothing new to send, going on behind 9 messages of earlier runs.', { total: 0, before: 9 }],
    ['Nothing new to send: 500 looked at.', {}],
    ['Sent 1 letter.', { matched: 1, sent: 1 }],
    ['Sent 2 of 3 letters, 1 of them edited.', { matched: 3, sent: 2, edited: 1 }],
    ['Sent 2 letters. Stopped before the end.', { matched: 2, sent: 2, outcome: 'stopped' }],
    ['Sent 2 letters. That is the limit; there may be more.', { matched: 2, sent: 2, outcome: 'limit' }],
  ])('%s', (text, part) => {
    expect(redriveSummary({ ...report, ...part }, false)[0]).toBe(text);
  });

  it('names what was not sent and what failed, safe for a terminal', () => {
    const failures = [{ id: 'abcdef0123', reason: 'no topic \u001B[31mgone' }];
    const skipped = { 'edited away': 1, 'in quarantine': 2, 'never a message': 3 };
    const text = redriveSummary({ ...report, matched: 9, sent: 1, failed: 3, failures, skipped }, true);
    expect(text).toEqual([
      'Would send 1 of 9 letters. Nothing was sent.',
      '  not sent: 2 letters whose message is in quarantine: see "cryptorun quarantine"',
      '  not sent: 3 letters from feeds, which never were messages of a topic',
      '  not sent: 1 letter that the transform leaves where they are',
      '  failed: 3 letters',
      '    abcdef01  no topic gone',
      '    and 2 more',
      '  These stay where they are; --again tries all of the selection once more.',
    ]);
  });
});

describe('the progress of a redrive', () => {
  const written = (isTTY: boolean): { readonly texts: string[]; readonly line: ProgressLine } => {
    const texts: string[] = [];
    const line = new ProgressLine({ isTTY, columns: 200, write: text => texts.push(text) }, 0);
    return { texts, line };
  };

  it('is drawn again on a terminal, with rate and time left', () => {
    const { texts, line } = written(true);
    line.show({ ...report, looked: 0 }, 0);
    line.show({ ...report, looked: 250, sent: 200, failed: 1 }, 1_000);
    expect(texts.at(-1)).toBe(
      '\r\u001B[K25 %   250 of 1,000 looked at   200 sent   1 failed   250/s   3.0s left',
    );
    line.clear();
    expect(texts.at(-1)).toBe('\r\u001B[K');
  });

  it('is a line every few seconds elsewhere', () => {
    const { texts, line } = written(false);
    for (let second = 0; second <= 12; second++) line.show({ ...report, looked: second }, second * 1_000);
    line.clear();
    expect(texts).toHaveLength(2);
    expect(texts[0]).toMatch(/^0 % {3}5 of 1,000 looked at .*\n$/);
  });
});

describe('tables of letters', () => {
  const letter: LetterSummary = {
    id: 'abcdef0123456789',
    group: '01234567',
    topic: 'cryptorun-dlq',
    partition: 0,
    offset: 0,
    origin: { topic: 'prices', partition: 0, offset: 0 },
    pipeline: 'bars',
    stage: 'decode',
    failure: 'decode',
    wasStored: true,
    reason: `price is \u001B[2J0 ${'and so on '.repeat(100)}`,
    key: 'BTC-USD',
    bytes: 3,
    attempts: 1,
    count: 1,
    timestamp: 0,
    failedAt: 0,
  };

  it.each([200, 100, 60, 20])('stay within %i cells and keep the reason', columns => {
    const text = letterTable([letter, { ...letter, key: null, reason: '' }], { columns, colour: false });
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
    if (columns >= 60) expect(text).toMatch(/letter .*reason\nabcdef01 .*price is 0 and/);
    expect(text).not.toContain('\u001B');
  });

  // Minutes where each row measures all of them again.
  it('take as long as there are rows, not as there are pairs of them', () => {
    const letters = Array.from({ length: 10_000 }, () => letter);
    expect(letterTable(letters, { columns: 120, colour: false }).split('\n')).toHaveLength(10_001);
  });

  it('count groups', () => {
    const group = { ...letter, id: '01234567', count: 1_204, firstAt: 0, lastAt: 1_000, example: letter.id };
    const text = groupTable([{ ...group, reason: 'price is <n>' }], { columns: 120, colour: false });
    expect(text).toMatch(/^01234567 {4}1,204 {2}bars .*price is <n>$/m);
  });
});
