import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** These run dist/claude-code-proxy, so it is built before them; all others work on the sources and never wait for a build. */
const binary = ['test/cli/**/*.test.ts', 'test/binary/**/*.test.ts', 'test/sdk/**/*.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // One processor would stay idle otherwise: vitest leaves it to what tests start, which mostly waits.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'source',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/services/**',
            'test/e2e/**',
            'test/hostile/**',
            'test/llamacpp/**',
            'test/page/**',
            'test/release/**',
            ...binary,
          ],
        },
      },
      {
        extends: true,
        test: { name: 'binary', include: binary, globalSetup: 'test/globalSetup.ts' },
      },
    ],
  },
});
