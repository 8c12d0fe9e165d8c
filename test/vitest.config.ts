import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { unitTests } from './support/unit-tests.ts';

const unit = unitTests();

const config: ViteUserConfig = defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    // one more than the two cores: tests wait for other processes, and media stalls where many share a core
    maxWorkers: 3,
    testTimeout: 180_000,
    expect: { poll: { timeout: 90_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: unit,
          setupFiles: ['test/support/patient-waits.ts', 'test/support/no-processes.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: unit,
          setupFiles: ['test/support/patient-waits.ts', 'test/support/guardian-from-source.ts'],
          globalSetup: ['test/support/shared-services-setup.ts'],
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
export default config;
