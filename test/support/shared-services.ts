/**
 * Servers that all test files of a run share; see shared-services-setup.ts, which starts them.
 *
 * Whoever uses them names rooms and queues so that no other test has them, looks only at their own, and freezes,
 * kills and configures servers of their own alone.
 */

import { inject } from 'vitest';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';

export type SharedServiceName = 'livekit' | 'livekit-without-auto-create' | 'redis';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly sharedServicesUrl: string;
  }
}

/** The LiveKit server of the run, or that of `LIVEKIT_URL`; `stop()` leaves it alone. */
export async function sharedLiveKit(
  name: 'livekit' | 'livekit-without-auto-create' = 'livekit',
): Promise<LiveKitServer> {
  const stop = async (): Promise<void> => {};
  const address = (await ask(name)) as Pick<LiveKitServer, 'url' | 'httpUrl' | 'apiKey' | 'apiSecret'>;
  return { ...address, external: true, pid: undefined, stop, [Symbol.asyncDispose]: stop };
}

/** @returns The URL of the Redis of the run. */
export async function sharedRedis(): Promise<string> {
  const { url } = (await ask('redis')) as { readonly url: string };
  return url;
}

async function ask(name: SharedServiceName): Promise<unknown> {
  const response = await fetch(`${inject('sharedServicesUrl')}/${name}`);
  if (!response.ok) throw new Error(`${name} did not start: ${await response.text()}`);
  return response.json();
}
