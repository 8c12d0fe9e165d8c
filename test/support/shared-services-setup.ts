/** Starts what test files share, once per run of vitest, when the first of them asks for it; ends it with the run. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { bundlePrograms } from './bundle-programs.ts';
import type { SharedServiceName } from './shared-services.ts';
import { startRedis } from './start-redis.ts';

type Service = AsyncDisposable & { readonly url: string } & Partial<LiveKitServer>;

const start: Readonly<Record<SharedServiceName, () => Promise<Service>>> = {
  livekit: () => startLiveKitServer(),
  'livekit-without-auto-create': () => startLiveKitServer({ config: { room: { auto_create: false } } }),
  redis: () => startRedis(),
};

/** Answers `GET /NAME` with the service's address and keys. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  // the processes of tests inherit it
  process.env.ENDFRAME_TEST_BUNDLES = await bundlePrograms();
  const started = new Map<string, Promise<Service>>();
  const http = createServer(async (request, response) => {
    const name = (request.url ?? '').slice(1) as SharedServiceName;
    try {
      const service = started.get(name) ?? start[name]();
      started.set(name, service);
      const { url, httpUrl, apiKey, apiSecret } = await service;
      response.end(JSON.stringify({ url, httpUrl, apiKey, apiSecret }));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  provide('sharedServicesUrl', `http://127.0.0.1:${(http.address() as AddressInfo).port}`);
  return async () => {
    http.close();
    const services = await Promise.allSettled(started.values());
    for (const service of services) {
      if (service.status === 'fulfilled') await service.value[Symbol.asyncDispose]();
    }
  };
}
