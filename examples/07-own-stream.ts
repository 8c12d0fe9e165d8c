/**
 * A room that is deleted at the end of an RxJS stream of your own, without a pipeline: when it completes, fails, or is
 * unsubscribed from. The deleter's guardian deletes it when the process is killed.
 *
 * Run:      npm run example 07              with a simulated caller
 *           npm run example 07 -- --join    prints a link for you
 * You see:  caller  has joined
 *           bot     0 of 5 s
 *           caller  was disconnected with ROOM_DELETED
 *           room    gone
 */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  closeOnProcessExit,
  createParticipantToken,
  deleteRoomFinally,
  generateRoomName,
  LiveKitRESTHelper,
  RoomDeleter,
} from 'endframe/livekit';
import { interval, lastValueFrom, take, tap } from 'rxjs';

const {
  LIVEKIT_URL: apiUrl = 'ws://localhost:7880',
  LIVEKIT_API_KEY: apiKey = 'devkey',
  LIVEKIT_API_SECRET: apiSecret = 'secret',
} = process.env;
const roomName = generateRoomName();
const rest = new LiveKitRESTHelper({ apiUrl, apiKey, apiSecret });
const deleter = new RoomDeleter({ roomName, rest });
closeOnProcessExit(deleter); // Ctrl-C, SIGTERM, an uncaught error
await rest.createRoom(roomName);

const token = await createParticipantToken({ apiKey, apiSecret, roomName, identity: 'caller' });
console.log(`Call it: https://meet.livekit.io/custom?${new URLSearchParams({ liveKitUrl: apiUrl, token })}`);
while ((await rest.listParticipants(roomName)).length === 0) await sleep(500);

const session$ = interval(1_000).pipe(
  take(6),
  tap((second) => console.log(`${second} of 5 s`)),
);
await lastValueFrom(session$.pipe(deleteRoomFinally(deleter)));
