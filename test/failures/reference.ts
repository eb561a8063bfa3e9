import { expect } from 'vitest';
import type { DeadLetter } from '../../src/core/dead-letter.ts';
import type { FailingWorld } from './failing-world.ts';
import type { Fate } from './handler.ts';
import type { FailingChain } from './random-chain.ts';

/** Whether a message dies of its fate that has been a dead letter so often. */
function dies({ kind, times }: Fate, deadLetters: number, attempts: number): boolean {
  switch (kind) {
    case 'succeeds':
      return times >= attempts;
    case 'heals':
      return deadLetters < times;
    case 'poison':
    case 'nonsense':
    case 'unpublishable':
      return true;
  }
}

/** What the reference wants of a message whose last dead letter to be sent back was this one. */
function expected(
  fate: Fate,
  redriven: number,
  chain: FailingChain,
): { readonly letters: number; readonly isOut: boolean } {
  const isOut = !dies(fate, redriven, chain.attempts);
  return { letters: isOut ? redriven : redriven + 1, isOut };
}

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? 0));
}

/** At any time: no message is nowhere. */
export async function checkNothingLost(world: FailingWorld): Promise<void> {
  if (world.faults.disconnected) return;
  const [pending, outputs, letters] = [await world.pending(), new Set(world.outputs), world.allLetters];
  const lost = world.fates.flatMap((_, number) => {
    const isDead = (letters.get(number) ?? []).some(({ count }) => count > (world.redriven[number] ?? 0));
    return pending.has(number) || outputs.has(number) || isDead ? [] : [number];
  });
  expect(lost).toEqual([]);
  expect(world.watch.problems).toEqual([]);
}

/** Once everything is well again: each message is in its one place, the keys are in order, nothing is pending. */
export async function checkEnd(world: FailingWorld): Promise<void> {
  const { chain, fates, keys, outputs, allLetters, redriven, watch } = world;
  expect([...(await world.pending())]).toEqual([]);
  expect(world.breakdowns).toEqual([]);
  expect(watch.problems).toEqual([]);
  fates.forEach((fate, number) => {
    const letters = (allLetters.get(number) ?? []).toSorted((a, b) => a.count - b.count);
    const [isOut, sent] = [outputs.includes(number), redriven[number] ?? 0];
    checkLetters(letters, chain);
    if (chain.isByChance)
      checkOnePlace(number, isOut, letters.length > sent, chain.takesOthers || watch.cameAgain.has(number));
    else {
      expect({ number, letters: letters.length, isOut }).toEqual({ number, ...expected(fate, sent, chain) });
      checkAttempts(letters, fate, chain);
    }
  });
  if (!chain.keepsOrder) return;
  for (const key of new Set(keys)) {
    const healthy = outputs.filter(number => keys[number] === key && !allLetters.has(number));
    expect(healthy).toSatisfy(isAscending);
  }
}

/** One dead letter a death, the last of as many as are allowed in quarantine; the attempts never go back. */
function checkLetters(letters: readonly DeadLetter[], { quarantineAfter }: FailingChain): void {
  expect(letters.map(({ count, topic }) => `${count} ${topic}`)).toEqual(
    letters.map((_, i) => `${i + 1} ${i + 1 === quarantineAfter ? 'cryptorun-quarantine' : 'cryptorun-dlq'}`),
  );
  expect(letters.map(({ attempts }) => attempts)).toSatisfy(isAscending);
  expect(
    new Set(letters.map(({ origin, firstFailureAt }) => `${origin.offset} ${firstFailureAt}`)).size,
  ).toBeLessThan(2);
}

function checkAttempts(letters: readonly DeadLetter[], { kind }: Fate, chain: FailingChain): void {
  const each = kind === 'nonsense' || kind === 'unpublishable' ? 1 : chain.attempts;
  expect(letters.map(({ attempts }) => attempts)).toEqual(letters.map(({ count }) => count * each));
}

/** What comes again may fare otherwise the second time, and may be in both places then; nothing else is. */
function checkOnePlace(number: number, isOut: boolean, isDead: boolean, mayBeBoth: boolean): void {
  const places = [...(isOut ? ['output'] : []), ...(isDead ? ['dead letter'] : [])];
  expect({ number, places: places.length }).toEqual({
    number,
    places: mayBeBoth && places.length === 2 ? 2 : 1,
  });
}
