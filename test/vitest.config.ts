import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/guardian-from-source.ts'],
    globalSetup: ['test/support/shared-services-setup.ts'],
    // they mostly wait for each other's processes: vitest's own choice would leave one of two cores idle
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 180_000,
    // media, signals and child processes on a busy machine: what needs another try says so in its line
    retry: process.env.CI === 'true' ? 2 : 0,
  },
});
export default config;
