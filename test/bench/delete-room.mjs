/**
 * How fast a room is deleted on a real LiveKit server: by a warm helper beside a bare `fetch`, by a process that
 * has only just started, and until the last participant knows.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { EndFrame, Pipeline, PipelineRunner, PipelineTask, silentLogger } from 'endframe';
import { createParticipantToken, LiveKitRESTHelper, LiveKitTransport } from 'endframe/livekit';
import { spawnCaller, startLiveKitServer } from 'endframe/testing';
import { AccessToken, RoomServiceClient } from 'livekit-server-sdk';
import { measure, median, quantile } from './measure.mjs';
import { judged, noted, report } from './report.mjs';

/** @typedef {import('endframe/testing').LiveKitServer} LiveKitServer */
/** @typedef {{ options: import('endframe/livekit').LiveKitRESTHelperOptions, room: string, warm: boolean }} Order */

const deletions = 400;
const warmup = 40;
const starts = 9;
const calls = 30;

/** @param {number} ms */
const milliseconds = (ms) => `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
/** @param {number[]} values */
const inOrder = (values) => values.sort((a, b) => a - b);

/**
 * @param {LiveKitServer} server
 * @param {string} prefix
 * @param {number} count
 */
async function createRooms({ httpUrl, apiKey, apiSecret }, prefix, count) {
  const rooms = new RoomServiceClient(httpUrl, apiKey, apiSecret);
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  for (const name of names) await rooms.createRoom({ name, emptyTimeout: 600 });
  return names;
}

/** @param {string[]} rooms */
function next(rooms) {
  const room = rooms.pop();
  if (room === undefined) throw new Error('too few rooms were created');
  return room;
}

/** Whatever can be had: a token signed beforehand, the global `fetch`, the answer read. @param {LiveKitServer} server */
async function bareDelete({ httpUrl, apiKey, apiSecret }) {
  const token = new AccessToken(apiKey, apiSecret, { ttl: 600 });
  token.addGrant({ roomCreate: true });
  const headers = { Authorization: `Bearer ${await token.toJwt()}`, 'Content-Type': 'application/json' };
  return async (/** @type {string} */ room) => {
    const body = JSON.stringify({ room });
    const url = `${httpUrl}/twirp/livekit.RoomService/DeleteRoom`;
    const response = await fetch(url, { method: 'POST', headers, body });
    const text = await response.text();
    if (response.status !== 200) throw new Error(text);
  };
}

/** @param {LiveKitServer} server */
async function warmDeletions(server) {
  const { httpUrl: apiUrl, apiKey, apiSecret } = server;
  const helper = new LiveKitRESTHelper({ apiUrl, apiKey, apiSecret });
  const bare = await bareDelete(server);
  const forBare = await createRooms(server, 'bare', deletions + warmup);
  const forHelper = await createRooms(server, 'helper', deletions + warmup);
  // one of each by turns
  const samples = await measure(
    [
      { name: 'bare', run: () => bare(next(forBare)) },
      { name: 'helper', run: () => helper.deleteRoomByName(next(forHelper)) },
    ],
    { rounds: deletions, iterations: 1, warmup },
  );
  if (forBare.length + forHelper.length > 0) throw new Error('not every room was deleted');
  const [bareMs, helperMs] = [median(samples('bare')), median(samples('helper'))];
  /** @param {number} ratio */
  const ofBare = (ratio) => `${ratio.toFixed(2)} × bare`;
  return [
    noted(`DeleteRoom by bare fetch, token signed beforehand, p50 of ${deletions}`, milliseconds(bareMs)),
    judged({
      what: `deleteRoomByName, warm, p50 of ${deletions}`,
      measured: milliseconds(helperMs),
      ratio: ofBare(helperMs / bareMs),
      value: helperMs / bareMs,
      must: 1.4,
      goal: 1.4,
      limit: ofBare,
      better: 'less',
    }),
  ];
}

/** The first deletion of a new process, in milliseconds. @param {Order} order */
async function firstDelete(order) {
  const child = fork(fileURLToPath(import.meta.url), ['first-delete']);
  const exited = once(child, 'exit');
  child.send(order);
  const answer = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
  if (answer === undefined) throw new Error('the process ended without having deleted its room');
  await exited;
  return /** @type {number} */ (answer[0]);
}

/** In the new process; what it imports is loaded by then. */
async function obeyFirstDelete() {
  const [{ options, room, warm }] = /** @type {[Order]} */ (await once(process, 'message'));
  const helper = new LiveKitRESTHelper(options);
  if (warm) await helper.warmUp();
  const at = performance.now();
  await helper.deleteRoomByName(room);
  const ms = performance.now() - at;
  process.send?.(ms, () => process.disconnect());
}

/** @param {LiveKitServer} server */
async function firstDeletions(server) {
  const { httpUrl: apiUrl, apiKey, apiSecret } = server;
  const options = { apiUrl, apiKey, apiSecret };
  const rooms = await createRooms(server, 'first', 2 * starts);
  const cold = [];
  const warm = [];
  for (let start = 0; start < starts; start += 1) {
    cold.push(await firstDelete({ options, room: next(rooms), warm: false }));
    warm.push(await firstDelete({ options, room: next(rooms), warm: true }));
  }
  const [coldMs, warmMs] = [median(inOrder(cold)), median(inOrder(warm))];
  /** @param {number} ratio */
  const ofCold = (ratio) => `${ratio.toFixed(2)} × cold`;
  return [
    noted(`first delete of a process, cold, median of ${starts}`, milliseconds(coldMs)),
    judged({
      what: `first delete of a process, after warmUp(), median of ${starts}`,
      measured: milliseconds(warmMs),
      ratio: ofCold(warmMs / coldMs),
      value: warmMs / coldMs,
      must: 1 / 3,
      goal: 1 / 3,
      limit: ofCold,
      better: 'less',
    }),
  ];
}

/**
 * A room with a bot and three callers, deleted by the EndFrame of the bot or by a request beside it.
 *
 * @param {LiveKitServer} server
 * @param {((room: string) => Promise<void>)} [bare] Deletes the room instead of an EndFrame.
 * @returns Milliseconds until the last caller was disconnected, from the request on or from when the EndFrame left the
 *   pipeline.
 */
async function untilLastCallerIsOut({ url, apiKey, apiSecret }, bare) {
  const params = { audioOutEnabled: true };
  const transport = new LiveKitTransport({ url, apiKey, apiSecret, params, logger: silentLogger });
  const { roomName } = transport;
  const task = new PipelineTask(new Pipeline([transport.input(), transport.output()]), {
    logger: silentLogger,
  });
  let endedAt = Number.NaN;
  task.lifecycle$.subscribe(({ phase, frame }) => {
    if (phase === 'completed' && frame instanceof EndFrame)
      endedAt = performance.timeOrigin + performance.now();
  });
  const started = new Promise((resolve) => task.once('started', () => resolve(undefined)));
  const run = new PipelineRunner({ logger: silentLogger }).run(task);
  await Promise.race([started, run]);
  const identities = ['first', 'second', 'third'];
  const tokens = await Promise.all(
    identities.map((identity) => createParticipantToken({ apiKey, apiSecret, roomName, identity })),
  );
  const callers = tokens.map((token) => spawnCaller({ url, token }));
  try {
    await Promise.all(callers.map((caller) => caller.waitFor('trackSubscribed', { timeoutMs: 30_000 })));
    if (bare === undefined) task.queueFrame(new EndFrame());
    else {
      endedAt = performance.timeOrigin + performance.now();
      await bare(roomName);
    }
    const told = await Promise.all(callers.map((caller) => caller.waitFor('disconnected')));
    for (const { reason } of told) {
      if (reason !== 'ROOM_DELETED') throw new Error(`a caller was disconnected with ${reason}`);
    }
    await run;
    // the next ones find the machine idle
    await Promise.all(callers.map((caller) => caller.exited));
    return Math.max(...told.map(({ at }) => at)) - endedAt;
  } finally {
    await Promise.all(callers.map((caller) => caller.stop()));
  }
}

/** @param {LiveKitServer} server */
async function disconnections(server) {
  const bare = await bareDelete(server);
  const [byBare, byEnd] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  // one of each by turns, the first of each not counted
  for (let call = -1; call < calls; call += 1) {
    const [bareMs, endMs] = [await untilLastCallerIsOut(server, bare), await untilLastCallerIsOut(server)];
    if (call < 0) continue;
    byBare.push(bareMs);
    byEnd.push(endMs);
  }
  inOrder(byBare);
  inOrder(byEnd);
  /** @param {number} ratio */
  const ofBare = (ratio) => `${ratio.toFixed(2)} × bare`;
  const until = 'until the last of 3 callers saw ROOM_DELETED';
  return [
    [0.5, 'p50'],
    [0.95, 'p95'],
  ].flatMap(([share, name]) => {
    const [bareMs, endMs] = [quantile(byBare, Number(share)), quantile(byEnd, Number(share))];
    return [
      noted(`bare DeleteRoom ${until}, ${name} of ${calls}`, milliseconds(bareMs)),
      judged({
        what: `EndFrame out of the pipeline ${until}, ${name} of ${calls}`,
        measured: milliseconds(endMs),
        ratio: ofBare(endMs / bareMs),
        value: endMs / bareMs,
        must: 1.1,
        goal: 1.1,
        limit: ofBare,
        better: 'less',
      }),
    ];
  });
}

async function benchmark() {
  process.env.NODE_ENV = 'production'; // otherwise LiveKit's SDK prints debug lines in between
  const server = await startLiveKitServer();
  try {
    const rows = [
      ...(await warmDeletions(server)),
      ...(await firstDeletions(server)),
      ...(await disconnections(server)),
    ];
    report(rows);
    if (rows.some(({ verdict }) => verdict === 'MISSED')) process.exitCode = 1;
  } finally {
    await server.stop();
  }
}

await (process.argv[2] === 'first-delete' ? obeyFirstDelete() : benchmark());
