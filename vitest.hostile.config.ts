import { defineConfig } from 'vitest/config';

/** The hostile suite: one instance, one scenario after the other, as each is watched by its health and its memory. */
export default defineConfig({
  test: {
    include: ['test/hostile/**/*.test.ts'],
    globalSetup: 'test/globalSetup.ts',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
