import { defineConfig } from 'vitest/config';

/** The executable before a real llama-server: one file after the other, as each has a server of its own. */
export default defineConfig({
  test: {
    include: ['test/llamacpp/**/*.test.ts'],
    globalSetup: 'test/llamacpp/globalSetup.ts',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
});
