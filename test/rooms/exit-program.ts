/** A bot without a runner, for the tests of closeOnProcessExit: its one argument is JSON. */

import { setTimeout as sleep } from 'node:timers/promises';
import { closeOnProcessExit } from '../../src/rooms/close-on-process-exit.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { RoomDeleter } from '../../src/rooms/room-deleter.ts';

export interface ExitProgram {
  readonly apiUrls: readonly string[];
  readonly budgetMs: number;
  /** What the user's logger, its listeners and its deleteWhen do. */
  readonly callbacks?: 'throw' | 'reject';
  readonly then: 'wait' | 'return' | 'throw' | 'reject' | 'unwatch' | 'set-exit-code';
}

const { apiUrls, budgetMs, then, callbacks } = JSON.parse(process.argv[2] ?? '') as ExitProgram;
const fails = (): never => {
  throw new Error('a bug in a callback');
};
const rejects = async (): Promise<never> => fails();
const broken = callbacks === 'throw' ? fails : rejects;
const logger = { debug: broken, info: broken, warn: broken, error: broken };
const options = callbacks && { logger, deleteWhen: broken };

const watches = apiUrls.map((apiUrl, index) => {
  const rest = new LiveKitRESTHelper({ apiKey: 'key', apiSecret: 'secret-of-the-program', apiUrl });
  const deleter = new RoomDeleter({ roomName: `room-${index}`, rest, ...options });
  if (callbacks)
    for (const name of ['roomDeleted', 'roomDeleteFailed', 'error'] as const) deleter.on(name, broken);
  return closeOnProcessExit(deleter, { budgetMs, ...(callbacks && { logger }) });
});
if (then === 'unwatch') for (const stop of watches) stop();
if (then === 'set-exit-code') process.exitCode = 7;
if (then === 'throw')
  setImmediate(() => {
    throw new Error('a bug in user code');
  });
if (then === 'reject') void Promise.reject(new Error('a bug in user code'));
process.stdout.write('ready\n');
if (then !== 'return') await sleep(30_000);
