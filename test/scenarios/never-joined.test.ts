/** What a newcomer sees when the key, the address or a package is wrong, and what is left behind. */

import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { FakeLiveKitServer } from '../../src/testing/fake-livekit-server.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { closedPort } from '../support/closed-port.ts';
import { diesWithin, isAlive } from '../support/is-alive.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { spawnScript } from '../support/run-typescript.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import type { NeverJoinedReport } from './never-joined-program.ts';

const script = fileURLToPath(new URL('./never-joined-program.ts', import.meta.url));
const loaders = ['typescript-loader.mjs', 'hide-rtc-node.mjs'].map(
  (file) => `--import=${new URL(`../support/${file}`, import.meta.url).href}`,
);
const wrongSecret = 'x'.repeat(40);
const describe = await describeWith('livekit-server', '@livekit/rtc-node');

describe('a bot that never joined', () => {
  let fake: FakeLiveKitServer;
  let real: LiveKitServer;
  const guardians: number[] = [];
  beforeAll(async () => {
    real = await sharedLiveKit();
  });
  afterEach(async () => {
    await fake?.stop();
    for (const pid of guardians.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });

  interface Newcomer {
    readonly url: string;
    readonly apiKey?: string;
    readonly apiSecret?: string;
    readonly roomName?: string | undefined;
    readonly hasRtcNode?: boolean;
    /** Default: what a server may take on a busy machine. */
    readonly deadlineMs?: number;
  }

  async function run({
    url,
    apiKey = 'key',
    apiSecret = wrongSecret,
    roomName,
    hasRtcNode = true,
    deadlineMs = 20_000,
  }: Newcomer) {
    const options: SpawnOptions = {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        LIVEKIT_URL: url,
        LIVEKIT_API_KEY: apiKey,
        LIVEKIT_API_SECRET: apiSecret,
        ROOM_NAME: roomName ?? '',
        DEADLINE_MS: String(deadlineMs),
      },
    };
    // not from a bundle: it would have its own way to packages
    const child = hasRtcNode
      ? spawnScript(script, [], options)
      : spawn(process.execPath, [...loaders, script], options);
    if (child.stdout === null || child.stderr === null) throw new Error('no output');
    const [printed, errors, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    const [, json = '{}'] = /^report (.+)$/m.exec(printed) ?? [];
    const report: NeverJoinedReport = JSON.parse(json);
    if (report.guardian !== undefined) guardians.push(report.guardian);
    // of a machine that is too busy to start a guardian while the run lasts
    const told = errors.replace(/^WARN .*not ready within.*\n( .*\n)*/m, '').trim();
    return { code, lines: told.split('\n'), ...report };
  }

  const deletions = (): number => fake.requests.filter(({ call }) => call === 'DeleteRoom').length;

  async function expectNothingLeft({ code, outcome, durationMs, guardian }: Awaited<ReturnType<typeof run>>) {
    expect({ code, outcome }).toMatchObject({ code: 1, outcome: { status: 'already-gone', attempts: 0 } });
    expect(durationMs).toBeLessThan(promised(1_500));
    if (guardian !== undefined) expect(await diesWithin(guardian, 10_000)).toBe(true);
  }

  it('says that the key is wrong in one line, and leaves nothing behind', async () => {
    fake = await FakeLiveKitServer.start();
    const result = await run({ url: fake.url, apiKey: fake.apiKey });
    expect(result.lines).toEqual([
      expect.stringMatching(
        /^ERROR .*LiveKit at ws:\S+ refuses the API key.*Check LIVEKIT_API_KEY and LIVEKIT_API_SECRET/,
      ),
    ]);
    expect(result.lines[0]).not.toContain(wrongSecret);
    expect(deletions()).toBe(0);
    await expectNothingLeft(result);
  });

  it('says that the key is wrong for a real server', async () => {
    const result = await run({ url: real.url, apiKey: real.apiKey });
    expect(result.lines).toEqual([expect.stringContaining('Check LIVEKIT_API_KEY and LIVEKIT_API_SECRET')]);
    await expectNothingLeft(result);
  });

  it('says that nobody answers in one line, and leaves nothing behind', async () => {
    const address = `127.0.0.1:${await closedPort()}`;
    const result = await run({ url: `ws://${address}` });
    expect(result.lines).toEqual([
      expect.stringMatching(/^ERROR .*LiveKit cannot be reached at .*\(ECONNREFUSED .*Check LIVEKIT_URL/),
    ]);
    expect(result.lines[0]).toContain(`ws://${address} (ECONNREFUSED ${address})`);
    await expectNothingLeft(result);
  });

  it.each([undefined, 'lobby'])(
    'says that rtc-node is missing in one line, and leaves nothing behind: room %s',
    async (roomName) => {
      fake = await FakeLiveKitServer.start();
      const { url, apiKey, apiSecret } = fake;
      const result = await run({ url, apiKey, apiSecret, roomName, hasRtcNode: false });
      expect(result.lines).toEqual([expect.stringMatching(/^ERROR .*npm install @livekit\/rtc-node/)]);
      expect(deletions()).toBe(0);
      await expectNothingLeft(result);
    },
  );

  it('says that rtc-node is missing where LiveKit is away as well', async () => {
    const url = `ws://127.0.0.1:${await closedPort()}`;
    const result = await run({ url, hasRtcNode: false });
    expect(result.lines).toEqual([expect.stringMatching(/^ERROR .*npm install @livekit\/rtc-node/)]);
    await expectNothingLeft(result);
  });

  it('deletes a room of a shared name that others are in', async () => {
    fake = await FakeLiveKitServer.start();
    const { url, apiKey, apiSecret } = fake;
    const ada = fake.join('lobby', 'ada');
    const result = await run({ url, apiKey, apiSecret, roomName: 'lobby', hasRtcNode: false });
    expect(await ada.disconnected).toBe('ROOM_DELETED');
    expect(result).toMatchObject({ code: 1, outcome: { status: 'deleted', attempts: 1 } });
  });

  it('has a guardian go on where a shared name may have a room that cannot be reached', async () => {
    const port = await closedPort();
    const result = await run({
      url: `ws://127.0.0.1:${port}`,
      apiKey: 'fake-key',
      roomName: 'lobby',
      deadlineMs: 500,
    });
    expect(result).toMatchObject({ code: 3, guardian: expect.any(Number) });
    fake = await FakeLiveKitServer.start({ port, apiSecret: wrongSecret });
    const ada = fake.join('lobby', 'ada');
    expect(await ada.disconnected).toBe('ROOM_DELETED');
  });
});
