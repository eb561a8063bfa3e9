import type { Benchmark } from './benchmark.ts';

/** Where benchmarks are; loaded on their own, so that one does not weigh on another's memory. */
export const groups = {
  bus: async () => (await import('./bus.ts')).benchmarks,
  log: async () => (await import('./log.ts')).benchmarks,
  spill: async () => (await import('./spill.ts')).benchmarks,
  operators: async () => (await import('./operators.ts')).benchmarks,
  kafka: async () => (await import('./kafka.ts')).benchmarks,
  chain: async () => (await import('./chain.ts')).benchmarks,
} satisfies Readonly<Record<string, () => Promise<readonly Benchmark[]>>>;

export type Group = keyof typeof groups;

export function isGroup(name: string): name is Group {
  return Object.hasOwn(groups, name);
}
