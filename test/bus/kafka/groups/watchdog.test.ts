import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Watchdog } from '../../../../src/bus/kafka/groups/watchdog.ts';

function watched(): {
  time: VirtualTimeScheduler;
  dog: Watchdog;
  silences: number[];
  at: (ms: number, act: () => void) => void;
} {
  const time = new VirtualTimeScheduler();
  const silences: number[] = [];
  const dog = new Watchdog(time, silentMs => silences.push(silentMs));
  return { time, dog, silences, at: (ms, act) => void time.schedule(act, ms) };
}

describe('Watchdog', () => {
  it('is quiet as long as there are signs of life, and tells of the silence after the last', () => {
    const { time, dog, silences, at } = watched();
    for (const ms of [0, 5, 14, 20]) at(ms, () => dog.alive(10));
    time.flush();
    expect(silences).toEqual([10]);
    expect(time.now()).toBe(30);
  });

  it('goes by the newest limit, longer or shorter', () => {
    const { time, dog, silences, at } = watched();
    at(0, () => dog.alive(10));
    at(1, () => dog.alive(100));
    at(50, () => dog.alive(10));
    time.flush();
    expect(silences).toEqual([10]);
    expect(time.now()).toBe(60);
  });

  it('tells once, watches again after a sign of life, and not once it is stopped', () => {
    const { time, dog, silences, at } = watched();
    at(0, () => dog.alive(10));
    at(40, () => dog.alive(10));
    at(60, () => dog.alive(10));
    at(65, () => dog.stop());
    time.flush();
    expect(silences).toEqual([10, 10]);
  });
});
