import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { compileCache } from './test/compile-cache.ts';
import { LongestFirst } from './test/longest-first.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Tests for which nothing may have been loaded before them: that put modules in the place of others, or look at memory. */
const isolated = 'test/**/*.isolated.test.ts';

const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: [
      { find: /^cryptorun-streams$/, replacement: at('./src/index.ts') },
      { find: /^cryptorun-streams\/operators$/, replacement: at('./operators/index.ts') },
      { find: /^cryptorun-streams\/pipelines$/, replacement: at('./pipelines/index.ts') },
      { find: /^cryptorun-streams\/testing$/, replacement: at('./src/testing/index.ts') },
    ],
  },
  test: {
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    testTimeout: 20_000,
    env: { NODE_COMPILE_CACHE: compileCache },
    reporters: ['default', at('./.ci/vitest-summary.ts')],
    // Only a run that holds tests of the last starts a broker.
    projects: [
      {
        extends: true,
        test: {
          name: 'brokerless',
          maxWorkers: '100%',
          // To start anew for each of hundreds of files takes a quarter of the time. What a test changes it puts back.
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/kafka/**', isolated],
        },
      },
      {
        extends: true,
        test: { name: 'isolated', maxWorkers: '100%', include: [isolated] },
      },
      {
        extends: true,
        test: {
          name: 'kafka',
          // Most of them wait for brokers half of their time. More clusters beside each other take each other's time, and a
          // session that ends too early is a failure.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          include: ['test/integration/kafka/**/*.test.ts'],
          globalSetup: 'test/integration/kafka/shared-broker.ts',
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'operators/**/*.ts', 'pipelines/**/*.ts'],
      reporter: ['text-summary', 'lcovonly'],
    },
  },
});

export default config;
