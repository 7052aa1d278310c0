import { defineConfig } from 'vitest/config';

/** The page in a real browser: one file after the other, as each has a browser of its own, and times what it does. */
export default defineConfig({
  test: {
    include: ['test/page/**/*.test.ts'],
    globalSetup: 'test/page/globalSetup.ts',
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 180_000,
  },
});
