/** The other end of the line: a simulated caller in a process of its own or, with `--join`, you. */

import process from 'node:process';
import { createParticipantToken, LiveKitRESTHelper, type LiveKitTransport } from 'endframe/livekit';
import { type Caller, type LiveKitServer, spawnCaller } from 'endframe/testing';
import { firstValueFrom } from 'rxjs';

// LiveKit's SDK prints debug lines otherwise
process.env.NODE_ENV ??= 'production';

/** Prints a line of the story: who, and what. */
export function tell(who: string, what: string): void {
  console.log(`${who.padEnd(8)}${what}`);
}

/**
 * Has somebody call as soon as the bot is in its room.
 *
 * @param talk What the caller does; not asked of a person.
 * @returns Resolves when the call is over and the room was looked for; a room that is still there is exit code 1.
 */
export async function phoneCall(
  server: LiveKitServer,
  transport: LiveKitTransport,
  talk: (caller: Caller) => Promise<void>,
): Promise<void> {
  const outcome = firstValueFrom(transport.outcome$);
  const connected = new Promise<'connected'>((resolve) => {
    transport.once('connected', () => resolve('connected'));
  });
  if ((await Promise.race([connected, outcome])) !== 'connected') return;
  const { url, httpUrl: apiUrl, apiKey, apiSecret } = server;
  const { roomName } = transport;
  const token = await createParticipantToken({ apiKey, apiSecret, roomName, identity: 'caller' });
  if (process.argv.includes('--join')) tellHowToJoin(url, token);
  else await simulate(url, token, talk);
  await outcome;
  const rooms = await new LiveKitRESTHelper({ apiUrl, apiKey, apiSecret }).listRooms([roomName]);
  tell('room', rooms.length === 0 ? 'gone' : 'STILL THERE');
  if (rooms.length > 0) process.exitCode = 1;
}

function tellHowToJoin(url: string, token: string): void {
  const query = new URLSearchParams({ liveKitUrl: url, token });
  tell('you', `can join here:\n\nhttps://meet.livekit.io/custom?${query}\n`);
}

async function simulate(url: string, token: string, talk: (caller: Caller) => Promise<void>): Promise<void> {
  const caller = spawnCaller({ url, token });
  await caller.waitFor('joined');
  tell('caller', 'has joined');
  await talk(caller);
  await Promise.race([caller.exited, caller.waitFor('disconnected', { timeoutMs: 60_000 })]);
  await caller.exited;
  for (const event of caller.events) {
    if (event.event === 'heard') tell('caller', `heard ${(event.heardMs / 1_000).toFixed(1)} s of the bot`);
    if (event.event === 'disconnected') tell('caller', `was disconnected with ${event.reason}`);
    if (event.event === 'left') tell('caller', 'hung up');
  }
}
