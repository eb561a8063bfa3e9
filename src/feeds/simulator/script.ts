import { PLOTS, type Phase, type PlotName } from './plots.ts';
import { between, mix, randomFrom, shuffled, type Random } from './random.ts';
import type { Role, SymbolProfile } from './symbols.ts';

/** Something that happens to one symbol, or to all. */
export interface ScriptedEvent {
  readonly plot: PlotName;
  /** Index of the symbol; -1: the whole market. */
  readonly symbol: number;
  /** Minutes since the start of the history. */
  readonly start: number;
  readonly end: number;
  /** Multiplies the drifts of the plot. */
  readonly strength: number;
}

/** What the events make of a symbol in one minute. */
export interface Effects {
  /** Return added in the minute, a fraction. */
  drift: number;
  noise: number;
  volume: number;
  spread: number;
  depth: number;
  halted: boolean;
}

const CYCLE_MINUTES = 10 * 1440;

/** Hour of the cycle, what happens, to whom; after ten days it starts over with other symbols. */
const SCHEDULE: readonly (readonly [hour: number, plot: PlotName, role: Role | 'market'])[] = [
  [13.5, 'breakout', 'mover'],
  [38, 'plain', 'thin'],
  [48, 'pumpAndDump', 'mover'],
  [66, 'longHalt', 'major'],
  [72, 'breakout', 'mover'],
  [80, 'hourHalt', 'market'],
  [86, 'plain', 'quiet'],
  [104, 'crash', 'market'],
  [112, 'longRun', 'mover'],
  [118, 'wide', 'mover'],
  [132, 'unheard', 'mover'],
  [148, 'hourHalt', 'thin'],
  [156, 'smallMove', 'mover'],
  [166, 'tired', 'mover'],
  [174, 'hollow', 'mover'],
  [190, 'breakout', 'mover'],
  [200, 'pumpAndDump', 'mover'],
  [206, 'breakout', 'mover'],
];

/** Hands out symbols of a role in a shuffled round; any symbol where the role is not cast. */
function casting(profiles: readonly SymbolProfile[], random: Random): (role: Role) => number {
  const order = shuffled([...profiles.keys()], random);
  const given = new Map<Role, number>();
  return role => {
    const cast = order.filter(index => profiles[index]?.role === role);
    const pool = cast.length > 0 ? cast : order;
    const count = given.get(role) ?? 0;
    given.set(role, count + 1);
    return pool[count % pool.length] ?? 0;
  };
}

const minutesOf = (phase: Phase): number => Math.round(phase.hours * 60);

function lengthOf(plot: PlotName): number {
  return PLOTS[plot].reduce((sum, phase) => sum + minutesOf(phase), 0);
}

/** The events of one cycle of ten days, decided by the seed. */
function scriptOfCycle(
  seed: number,
  cycle: number,
  profiles: readonly SymbolProfile[],
): readonly ScriptedEvent[] {
  const random = randomFrom(mix(seed, 0x5c819, cycle));
  const cast = casting(profiles, random);
  return SCHEDULE.map(([hour, plot, role]) => {
    const start = Math.round(cycle * CYCLE_MINUTES + hour * 60 + between(random, 0, 30));
    const strength = between(random, 0.95, 1.15);
    const symbol = role === 'market' ? -1 : cast(role);
    return { plot, symbol, start, end: start + lengthOf(plot), strength };
  });
}

function phaseAt(event: ScriptedEvent, minute: number): Phase | undefined {
  let left = minute - event.start;
  if (left < 0) return undefined;
  return PLOTS[event.plot].find(phase => (left -= minutesOf(phase)) < 0);
}

function apply(effects: Effects, phase: Phase, strength: number): void {
  effects.drift += ((phase.drift ?? 0) * strength) / 6000;
  effects.noise *= phase.noise ?? 1;
  effects.volume *= phase.volume ?? 1;
  effects.spread *= phase.spread ?? 1;
  effects.depth *= phase.depth ?? 1;
  effects.halted ||= phase.halted ?? false;
}

/** Looks up what the events make of every symbol in a minute; keeps two cycles in memory. */
export function effectsScript(
  seed: number,
  profiles: readonly SymbolProfile[],
): (minute: number) => readonly Effects[] {
  let cycle = -1;
  let events: readonly ScriptedEvent[] = [];
  return minute => {
    const now = Math.floor(minute / CYCLE_MINUTES);
    if (now !== cycle) {
      const before = now === 0 ? [] : scriptOfCycle(seed, now - 1, profiles);
      events = [...before, ...scriptOfCycle(seed, now, profiles)];
      cycle = now;
    }
    const all = profiles.map(() => ordinary());
    for (const event of events) {
      const phase = phaseAt(event, minute);
      if (phase === undefined) continue;
      all.forEach((effects, index) => {
        if (event.symbol === -1 || event.symbol === index) apply(effects, phase, event.strength);
      });
    }
    return all;
  };
}

function ordinary(): Effects {
  return { drift: 0, noise: 1, volume: 1, spread: 1, depth: 1, halted: false };
}
