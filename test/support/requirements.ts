/** What a test file needs and a machine may lack. Missing: skipped by name, or a failure where CI is set. */

import { describe, expect, it } from 'vitest';
import { liveKitServerProgram } from '../../src/testing/livekit-server-program.ts';
import { installAgents, knownAgents } from '../livekit-agents/install-agents.ts';
import { chromiumVersion } from './browser/browser-caller.ts';
import { redisServerVersion } from './start-redis.ts';

export type Requirement =
  | 'livekit-server'
  /** Exactly this version, whatever runs elsewhere. */
  | 'livekit-server v1.9.11'
  | 'livekit-server v1.13.5'
  | '@livekit/rtc-node'
  | '@livekit/agents'
  | 'redis-server'
  | 'chromium';

/** Each settles when it is there, and throws what is missing and how to get it. */
const probes: Record<Requirement, () => Promise<unknown>> = {
  'livekit-server': async () => {
    if (!process.env.LIVEKIT_URL) await liveKitServerProgram();
  },
  'livekit-server v1.9.11': () => liveKitServerProgram({ version: 'v1.9.11' }),
  'livekit-server v1.13.5': () => liveKitServerProgram({ version: 'v1.13.5' }),
  '@livekit/rtc-node': () => import('@livekit/rtc-node'),
  '@livekit/agents': () => installAgents(knownAgents),
  'redis-server': redisServerVersion,
  chromium: chromiumVersion,
};

type Describe = (title: string, body: () => void) => void;

/**
 * A `describe` for tests that need these things:
 *
 *     const describe = await describeWith('livekit-server', '@livekit/rtc-node');
 *
 * What is missing stands in the title of the skipped block, and on stderr with how to get it. A missing server is built here first, before
 * any time limit of vitest begins.
 */
export async function describeWith(...needed: readonly Requirement[]): Promise<Describe> {
  const missing: string[] = [];
  const reasons: string[] = [];
  for (const name of needed) {
    await probes[name]().catch((error: unknown) => {
      missing.push(name);
      reasons.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
  if (missing.length === 0) return describe;
  if (process.env.CI === 'true') {
    return (title) =>
      describe(title, () => {
        it(`has what it needs: ${needed.join(', ')}`, () => expect(reasons).toEqual([]));
      });
  }
  return (title, body) => {
    const skipped = `${title} [skipped, without ${missing.join(', ')}]`;
    // the default reporter only counts what is skipped
    process.stderr.write(`${skipped}\n  ${reasons.join('\n  ')}\n`);
    describe.skip(skipped, body);
  };
}
