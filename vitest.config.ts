import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

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
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 20_000,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'operators/**/*.ts', 'pipelines/**/*.ts'],
      reporter: ['text-summary', 'lcovonly'],
    },
  },
});

export default config;
