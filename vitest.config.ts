import { defineConfig } from 'vitest/config';

const pure = { pool: 'threads', isolate: false, retry: 0 } as const;

export default defineConfig({
  test: {
    retry: 0,
    // Both cores: the default leaves one to itself.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          ...pure,
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/scenarios/**',
            'test/simulation/**',
            'test/end-to-end/**',
            'test/bench/**',
            'node_modules/**',
          ],
          testTimeout: 60_000,
        },
      },
      { test: { name: 'scenario', ...pure, include: ['test/scenarios/**/*.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          name: 'simulation',
          ...pure,
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'end-to-end',
          pool: 'forks',
          include: ['test/end-to-end/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          retry: 0,
        },
      },
    ],
  },
});
