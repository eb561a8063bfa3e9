import { expect, it, vi } from 'vitest';
import { askAgain, coordinatorMoves } from '../../../src/bus/kafka/ask-again.ts';

vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() })); // time passes at once

const typeOf = (error: unknown): string | undefined => (error instanceof Error ? error.message : undefined);

/** A broker that answers so, one after the other, the last again and again. */
function brokerThatSays(...answers: string[]): { asked: number; ask: () => Promise<string> } {
  const broker = {
    asked: 0,
    ask: () => {
      const answer = answers[Math.min(broker.asked++, answers.length - 1)] ?? '';
      return answer === 'yes' ? Promise.resolve(answer) : Promise.reject(new Error(answer));
    },
  };
  return broker;
}

it('asks again while the broker is only about to know', async () => {
  const broker = brokerThatSays('COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR', 'yes');
  await expect(askAgain(broker.ask, typeOf, coordinatorMoves)).resolves.toBe('yes');
  expect(broker.asked).toBe(3);
});

it('passes on at once what does not pass', async () => {
  const broker = brokerThatSays('GROUP_AUTHORIZATION_FAILED');
  await expect(askAgain(broker.ask, typeOf, coordinatorMoves)).rejects.toThrow('AUTHORIZATION');
  expect(broker.asked).toBe(1);
});

it('gives up after ten seconds', async () => {
  const clock = vi.spyOn(performance, 'now');
  for (const ms of [0, 9_999, 10_001]) clock.mockReturnValueOnce(ms);
  const broker = brokerThatSays('COORDINATOR_LOAD_IN_PROGRESS');
  await expect(askAgain(broker.ask, typeOf, coordinatorMoves)).rejects.toThrow('LOAD_IN_PROGRESS');
  expect(broker.asked).toBe(2);
});
