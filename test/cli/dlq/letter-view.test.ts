import { expect, it } from 'vitest';
import { wholeOf } from '../../../src/cli/dlq/letter-answers.ts';
import { viewLetter } from '../../../src/cli/dlq/letter-view.ts';
import { type DeadLetter, dlqHeaders, readDeadLetter } from '../../../src/core/dead-letter.ts';
import { MessageHeaders } from '../../../src/core/headers.ts';
import type { OutgoingMessage } from '../../../src/core/message.ts';
import { messageOf } from '../../../src/testing/index.ts';
import { letterOf } from '../../dlq/letters.ts';

function read(headers: OutgoingMessage['headers']): DeadLetter {
  const timestamp = Date.UTC(2026, 0, 4, 12, 31, 7);
  return readDeadLetter(messageOf({ headers: MessageHeaders.of([...headers!]), timestamp }))!;
}

const view = (letter: DeadLetter): string => viewLetter(wholeOf(letter), { columns: 100, colour: false });

it('tells where a message was stored, and its event time', () => {
  const shown = view(read(letterOf({ n: 3, origin: { topic: 'prices', partition: 2, offset: 9 } }).headers));
  expect(shown).toMatch(/from +prices\[2\]@9$/m);
  expect(shown).not.toContain('2026-01-04 12:31:07');
});

it('does not invent a place and a time for what a feed could not read', () => {
  const shown = view(read(MessageHeaders.of({ [dlqHeaders.originTopic]: 'prices' })));
  expect(shown).toMatch(/from +a feed: never stored in prices$/m);
  expect(shown).toMatch(/event time +2026-01-04 12:31:07$/m);
});
