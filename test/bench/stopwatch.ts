import type { Measured } from './benchmark.ts';

/** Starts a watch; asked, it says what so many messages took since. */
export function stopwatch(): (messages: number) => Measured {
  const begun = performance.now();
  const used = process.cpuUsage();
  return messages => {
    const seconds = (performance.now() - begun) / 1000;
    const { user, system } = process.cpuUsage(used);
    return { messages, seconds, cpuSeconds: (user + system) / 1e6 };
  };
}

/** Does the same work, of so many messages, again and again: first to warm up, then on the watch. */
export function repeat(pass: () => void, messagesPerPass: number, smoke: boolean): Measured {
  const [warmUpMs, measureMs] = smoke ? [20, 60] : [300, 1000];
  during(warmUpMs, pass);
  const lap = stopwatch();
  const passes = during(measureMs, pass);
  return lap(passes * messagesPerPass);
}

function during(ms: number, pass: () => void): number {
  const until = performance.now() + ms;
  let passes = 0;
  do {
    pass();
    passes++;
  } while (performance.now() < until);
  return passes;
}

/** {@link repeat} of work that takes turns of the event loop. */
export async function repeatAsync(
  pass: () => Promise<void>,
  messagesPerPass: number,
  smoke: boolean,
): Promise<Measured> {
  const [warmUpMs, measureMs] = smoke ? [20, 60] : [300, 1000];
  const during = async (ms: number): Promise<number> => {
    const until = performance.now() + ms;
    let passes = 0;
    do {
      await pass();
      passes++;
    } while (performance.now() < until);
    return passes;
  };
  await during(warmUpMs);
  const lap = stopwatch();
  const passes = await during(measureMs);
  return lap(passes * messagesPerPass);
}
