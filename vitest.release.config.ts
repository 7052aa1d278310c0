import { defineConfig } from 'vitest/config';

/** What is given to others, installed as users do it: one file after the other, as each fills a disk and listens. */
export default defineConfig({
  test: {
    include: ['test/release/**/*.test.ts'],
    globalSetup: ['test/globalSetup.ts', 'test/release/globalSetup.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
