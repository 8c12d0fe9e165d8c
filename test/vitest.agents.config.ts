import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Real workers of `@livekit/agents`: minutes, and about 700 MB of packages at the first run. */
const config: ViteUserConfig = defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.agents.ts'],
    hookTimeout: 180_000,
    // each job is a process of its own, and so is each human
    maxConcurrency: 3,
  },
});
export default config;
