import { setTimeout as sleep } from 'node:timers/promises';
import { lastValueFrom } from 'rxjs';
import { expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/lib/logger.ts';
import { JobRoomCleanup } from '../../src/livekit-agents/attach-room-cleanup.ts';
import { guardian } from '../../src/rooms/guardian/guardian-client.ts';
import { FakeLiveKitServer } from '../../src/testing/fake-livekit-server.ts';
// the guardian is a process
import '../support/guardian-from-source.ts';
import { FakeJob, FakeProcess } from './fake-job.ts';

function standStill(ms: number): void {
  const until = Date.now() + ms;
  while (Date.now() < until);
}

it('no guardian counts the silence of a job that loads before the conversation begins', async () => {
  await using server = await FakeLiveKitServer.start();
  const { url, apiKey, apiSecret } = server;
  const job = new FakeJob({ url, apiKey, apiSecret });
  const { sid } = server.createRoom('assigned');
  job.job = { room: { name: 'assigned', sid } };
  const options = { logger: silentLogger, guardian: true, guardianHeartbeatMs: 300 };
  const { outcome$ } = new JobRoomCleanup(job, options, new FakeProcess());
  await vi.waitFor(() => expect(guardian.armed).toBe(true), { timeout: 90_000 });
  standStill(1_500);
  await sleep(500);
  expect(server.room('assigned')).toBeDefined();
  job.room.connects('assigned');
  await sleep(100);
  standStill(1_500);
  expect(await lastValueFrom(outcome$)).toMatchObject({ status: 'already-gone', trigger: 'exit' });
  expect(server.room('assigned')).toBeUndefined();
});
