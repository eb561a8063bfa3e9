/** What a symbol can be cast as: `mover` may give signals; `thin` and `quiet` fail their gates. */
export type Role = 'major' | 'mover' | 'thin' | 'quiet';

/** How one simulated symbol trades on an ordinary day. */
export interface SymbolProfile {
  readonly symbol: string;
  readonly role: Role;
  /** Price at the start of the history, in the quote currency; the price is drawn back to it. */
  readonly level: number;
  /** Ten to the power of the decimals of its prices. */
  readonly scale: number;
  /** How much of the market's return it takes over. */
  readonly beta: number;
  /** Deviation of its own return in one hour, in percent. */
  readonly noise: number;
  /** Quote volume in an ordinary minute. */
  readonly volume: number;
  readonly spreadBps: number;
  /** Quote value within 2 % of mid on each side. */
  readonly depth: number;
  /** Share of minutes in which nothing trades. */
  readonly silence: number;
}

type Row = readonly [
  base: string,
  role: Role,
  level: number,
  decimals: number,
  beta: number,
  noise: number,
  volume: number,
  spreadBps: number,
  depth: number,
  silence: number,
];

const TABLE: readonly Row[] = [
  ['BTC', 'major', 93_250, 2, 1, 0.18, 380_000, 2, 9_000_000, 0],
  ['ETH', 'major', 3_180, 2, 1.1, 0.24, 210_000, 3, 5_200_000, 0],
  ['SOL', 'mover', 141.5, 4, 1.2, 0.34, 62_000, 5, 1_600_000, 0],
  ['XRP', 'mover', 2.14, 6, 1, 0.33, 48_000, 6, 1_300_000, 0],
  ['DOGE', 'mover', 0.1462, 7, 1.2, 0.38, 26_000, 8, 700_000, 0],
  ['ADA', 'mover', 0.402, 7, 1.1, 0.36, 14_000, 10, 480_000, 0],
  ['AVAX', 'mover', 13.85, 5, 1.2, 0.38, 9_500, 11, 420_000, 0],
  ['LINK', 'mover', 13.42, 5, 1.1, 0.36, 11_000, 9, 460_000, 0],
  ['DOT', 'mover', 2.135, 6, 1.1, 0.37, 6_200, 14, 330_000, 0],
  ['ATOM', 'thin', 2.382, 6, 1, 0.38, 2_600, 24, 64_000, 0.01],
  ['ALGO', 'quiet', 0.1284, 7, 0.9, 0.4, 150, 30, 190_000, 0.25],
  ['KSM', 'quiet', 7.31, 5, 0.9, 0.42, 45, 42, 120_000, 0.6],
];

function profileOf(row: Row, round: number): SymbolProfile {
  const [base, role, level, decimals, beta, noise, volume, spreadBps, depth, silence] = row;
  const suffix = round === 0 ? '' : String(round + 1);
  const symbol = `${base}${suffix}-USDT`;
  const scale = 10 ** decimals;
  return { symbol, role, level, scale, beta, noise, volume, spreadBps, depth, silence };
}

/** The first `count` simulated symbols; past the twelfth the same kinds come again, numbered. */
export function simulatedSymbols(count: number): readonly SymbolProfile[] {
  const rounds = Math.ceil(count / TABLE.length);
  return Array.from({ length: rounds }, (_, round) => TABLE.map(row => profileOf(row, round)))
    .flat()
    .slice(0, count);
}
