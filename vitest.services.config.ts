import { defineConfig } from 'vitest/config';

/** The executable beside the servers that teams run: PostgreSQL, Prometheus. One file after the other, as each starts some. */
export default defineConfig({
  test: {
    include: ['test/services/**/*.test.ts'],
    globalSetup: 'test/globalSetup.ts',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
