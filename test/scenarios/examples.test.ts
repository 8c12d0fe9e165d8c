/** Every example is run to its end, as a reader would: with a simulated caller, against a real server. */

import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { describeWith } from '../support/requirements.ts';
import { listRooms } from '../support/room-service.ts';
import { spawnScript } from '../support/run-typescript.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

const deleted = 'caller  was disconnected with ROOM_DELETED';
const stories: Record<string, readonly (string | RegExp)[]> = {
  '01': [/^caller {2}heard (\d\.\d) s of the bot$/, deleted],
  '01 --kill': ['bot     is killed', /^caller {2}was in the room for \d+ ms more$/, deleted],
  '02': [/^bot {5}greets for \d/, /^caller {2}heard [1-9]/, deleted],
  '03': [
    /^bot {5}says: Welcome\./,
    'bot     says: We are open from nine to five.',
    'bot     says: Goodbye.',
    /^caller {2}heard [1-9]/,
    deleted,
  ],
  '04': [
    'bot     is with the caller',
    'bot     is alone',
    'bot     ends: alone in the room',
    'caller  hung up',
  ],
  '05': [
    /^bot {5}reads for 1\d\.\d s$/,
    'bot     is interrupted',
    'bot     says sorry',
    // and not all of it
    /^caller {2}heard [1-6]\.\d s of the bot$/,
    deleted,
  ],
  '06': [
    'bot     is killed, and its guardian',
    /^sweeper orphan found: lease-expired, silent for 1\d/,
    /^caller {2}was in the room for 1\d{4} ms more$/,
    deleted,
  ],
  '07': ['bot     5 of 5 s', deleted],
  '10': ['bot     the model calls end_call', /^caller {2}heard \d/, deleted],
};

describe('the examples', () => {
  let server: LiveKitServer;

  beforeAll(async () => {
    server = await startLiveKitServer();
  });
  afterAll(() => server.stop());

  /** Its exit code, and what it printed. */
  async function run(example: string): Promise<{ code: number | null; lines: string[]; errors: string }> {
    const { url, apiKey, apiSecret } = server;
    const child = spawnScript('examples/support/run.ts', example.split(' '), {
      env: { ...process.env, LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 100_000,
    });
    const [printed, errors, code] = await Promise.all([
      child.stdout === null ? '' : text(child.stdout),
      child.stderr === null ? '' : text(child.stderr),
      new Promise<number | null>((resolve) => child.once('close', resolve)),
    ]);
    return { code, lines: printed.split('\n'), errors };
  }

  /** Two at a time: most of it is waiting. */
  const lanes: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];
  function runInTurn(example: string): ReturnType<typeof run> {
    const outcome = (lanes.shift() ?? Promise.resolve()).then(() => run(example));
    lanes.push(outcome);
    return outcome;
  }

  it.concurrent.each(Object.entries(stories))(
    '%s runs to its end, and its room is gone',
    async (name, story) => {
      const { code, lines, errors } = await runInTurn(name);
      expect(code, errors).toBe(0);
      // bot and caller are two processes, whose lines may come in either order
      const isThere = (what: string | RegExp): boolean =>
        lines.some((line) => (typeof what === 'string' ? line === what : what.test(line)));
      const missing = ['caller  has joined', ...story, 'room    gone'].filter((what) => !isThere(what));
      expect(missing, lines.join('\n')).toEqual([]);
    },
    300_000,
  );

  it('leave no room behind', async () => {
    if (!server.external) expect(await listRooms(server)).toEqual([]);
  });
});
