import { defineConfig } from 'vitest/config';

/** Most tests of the sources in a tenth of the time: none of them needs a build, PM2 or a server of its own. */
export default defineConfig({
  test: {
    testTimeout: 30_000,
    include: ['test/unit/**/*.test.ts', 'test/{architecture,docs,golden,pages,words}.test.ts'],
    // These start processes, or time work of several sizes.
    exclude: ['test/unit/scripts/**', 'test/unit/**/hostile*.test.ts', 'test/unit/**/*[pP]roperties*.test.ts'],
  },
});
