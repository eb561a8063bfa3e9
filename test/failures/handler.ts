import { type Observable, NEVER, type SchedulerLike, map, timer } from 'rxjs';
import type { AttemptContext } from '../../operators/index.ts';
import type { Message } from '../../src/index.ts';
import { type MessageHistory, historyOf } from '../../src/core/message-history.ts';

/**
 * What is to become of a message: `succeeds` after so many failed attempts, `heals` once it has been a dead letter
 * so many times, or fails for ever: as `poison` after its retries, as `nonsense` at once, or, as `unpublishable`,
 * only when its output is to be stored.
 */
export interface Fate {
  readonly kind: 'succeeds' | 'heals' | 'poison' | 'nonsense' | 'unpublishable';
  readonly times: number;
  /** How long each attempt takes; 0: the answer is there at once. */
  readonly ms: number;
  /** An attempt that is to fail, and may pass another time, never ends where there is a time limit for it. */
  readonly hangs: boolean;
}

class FatefulError extends Error {
  readonly retryable: boolean;

  constructor(text: string, retryable: boolean) {
    super(text);
    this.retryable = retryable;
  }
}

/** One call of the handler, as it was told. */
export interface Call {
  readonly number: number;
  readonly attempt: number;
  readonly history: MessageHistory;
  readonly message: Message;
}

export function textOf(number: number, { kind, times, ms, hangs }: Fate): string {
  return [number, kind, times, ms, hangs ? 'hangs' : 'errs'].join(' ');
}

export function numberIn(text: string): number {
  return Number(text.split(' ')[0]);
}

/** What a handler must know of its chain. */
export interface HandlerPlace {
  readonly scheduler: SchedulerLike;
  /** Whether its attempts end by themselves after some time. */
  readonly isTimed: boolean;
  /** Whether it must answer at once. */
  readonly isImmediate: boolean;
  readonly called: (call: Call) => void;
}

/** A handler that meets each message's fate, whatever the message has been through. */
export function fateful({
  scheduler,
  isTimed,
  isImmediate,
  called,
}: HandlerPlace): (
  text: string,
  context: Pick<AttemptContext, 'message' | 'attempt'>,
) => string | Observable<string> {
  return (text, { message, attempt }) => {
    const history = historyOf(message);
    called({ number: numberIn(text), attempt, history, message });
    const error = errorOf(text, attempt, history);
    const [, , , ms = '0', manner] = text.split(' ');
    if (error?.retryable === true && manner === 'hangs' && isTimed) return NEVER;
    const answer = (): string => {
      if (error !== undefined) throw error;
      return text;
    };
    return ms === '0' || isImmediate ? answer() : timer(Number(ms), scheduler).pipe(map(answer));
  };
}

/** Why this attempt is to fail. */
function errorOf(text: string, attempt: number, history: MessageHistory): FatefulError | undefined {
  const [, kind = '', times = ''] = text.split(' ');
  // Attempts since somebody sent it last, this one included.
  const inThisLife = history.retries + attempt - history.attempts;
  const fails = {
    succeeds: inThisLife <= Number(times),
    heals: history.deadLetters < Number(times),
    poison: true,
    nonsense: true,
    unpublishable: false,
  }[kind];
  if (fails === false) return undefined;
  return new FatefulError(`${kind}: attempt ${attempt} fails`, kind !== 'nonsense');
}
