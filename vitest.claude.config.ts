import { defineConfig } from 'vitest/config';

/** The end-to-end tests with the real Claude Code client: one after the other, and patient. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['test/globalSetup.ts', 'test/e2e/globalSetup.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
