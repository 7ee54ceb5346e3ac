import { defineConfig } from 'vitest/config';

// One project a suite; `npm test` runs them in this order, `npx vitest run --project unit` runs one.
const suite = (name: string, include: string[], more: object = {}) => ({
  test: { name, include, testTimeout: 20_000, hookTimeout: 60_000, ...more },
});

export default defineConfig({
  test: {
    projects: [
      // Pure code for the most part: one process for all files saves a third of a second each.
      suite(
        'unit',
        ['src/**/*.test.ts', 'web/src/**/*.test.ts', 'bench/**/*.test.ts', 'test/architecture/**/*.test.ts'],
        {
          pool: 'threads',
          isolate: false,
          maxWorkers: 2,
        },
      ),
      // Tests side by side wait for each other's trackers, and hardly ever work.
      suite('contract', ['test/contract/**/*.test.ts'], { maxConcurrency: 20 }),
      suite('sim', ['test/sim/**/*.test.ts'], { testTimeout: 60_000, maxWorkers: 2 }),
      // Mostly waiting, for processes and time-outs: two at a time.
      suite('e2e', ['test/e2e/**/*.test.ts'], { testTimeout: 120_000, maxWorkers: 2 }),
      suite('browser', ['test/browser/**/*.test.ts'], { testTimeout: 120_000 }),
      suite('soak', ['test/soak/**/*.test.ts'], { fileParallelism: false }),
      suite('interop', ['test/interop/**/*.test.ts'], { testTimeout: 180_000, fileParallelism: false }),
    ],
  },
});
