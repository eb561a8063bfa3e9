/** One stretch of an event; factors multiply what is ordinary for the symbol. */
export interface Phase {
  readonly hours: number;
  /** Drift in percent per hour. */
  readonly drift?: number;
  readonly noise?: number;
  readonly volume?: number;
  readonly spread?: number;
  readonly depth?: number;
  /** Nothing at all is heard of the symbol. */
  readonly halted?: boolean;
}

const breakout: readonly Phase[] = [
  { hours: 14, drift: 0.22, noise: 0.5 },
  { hours: 3, drift: 1.7, volume: 5 },
  { hours: 9, drift: 0.55, volume: 2.5 },
  { hours: 6, drift: -0.4, noise: 1.2, volume: 1.5 },
];

const worsened = (phases: readonly Phase[], change: Partial<Phase>): readonly Phase[] =>
  phases.map(phase => ({ ...phase, ...change }));

/** What can happen to a symbol, by name. The comments name the gate that near misses fail. */
export const PLOTS: Readonly<Record<PlotName, readonly Phase[]>> = {
  breakout,
  /** Longer than the time limit of a signal. */
  longRun: [
    { hours: 14, drift: 0.22, noise: 0.5 },
    { hours: 2.5, drift: 1.6, volume: 5 },
    { hours: 54, drift: 0.42, noise: 0.45, volume: 2 },
    { hours: 8, drift: -0.5, volume: 1.5 },
  ],
  /** Turns before the momentum does: ends in a stop. */
  pumpAndDump: [
    { hours: 14, drift: 0.22, noise: 0.5 },
    { hours: 2.5, drift: 2, volume: 7 },
    { hours: 1 / 60, drift: -480, volume: 40 },
    { hours: 1, drift: -1, noise: 1.5, volume: 6 },
    { hours: 6, drift: -0.2, noise: 1.3, volume: 2 },
  ],
  /** Depth, or on a quiet symbol the daily volume. */
  plain: breakout,
  /** Depth. */
  hollow: worsened(breakout, { depth: 0.12 }),
  /** Spread. */
  wide: worsened(breakout, { spread: 14 }),
  /** Volume range. */
  unheard: worsened(breakout, { volume: 0.12 }),
  /** Movement. */
  smallMove: [
    { hours: 8, noise: 0.15 },
    { hours: 5, drift: 0.4, noise: 0.15, volume: 4 },
  ],
  /** Fatigue: the volume comes when the run is old. */
  tired: [
    { hours: 26, drift: 0.75, noise: 0.7, volume: 0.3 },
    { hours: 4, drift: 0.75, noise: 0.7, volume: 4 },
    { hours: 5, drift: -0.8, volume: 1.5 },
  ],
  crash: [
    { hours: 1.5, drift: -4, noise: 1.8, volume: 6, spread: 3, depth: 0.5 },
    { hours: 5, drift: 0.5, noise: 1.5, volume: 2.5 },
  ],
  hourHalt: [{ hours: 1, halted: true }],
  longHalt: [{ hours: 3, halted: true }],
};

/** The name of a plot. */
export type PlotName =
  | 'breakout'
  | 'longRun'
  | 'pumpAndDump'
  | 'plain'
  | 'hollow'
  | 'wide'
  | 'unheard'
  | 'smallMove'
  | 'tired'
  | 'crash'
  | 'hourHalt'
  | 'longHalt';
