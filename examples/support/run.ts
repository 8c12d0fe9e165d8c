/**
 * Runs an example with what it needs: a LiveKit server (that of `LIVEKIT_*`, one on the `PATH`, or one built with Go)
 * and a simulated caller in a process of its own, who takes the link that the bot prints.
 *
 *   npm run example 01                 a simulated caller
 *   npm run example 01 -- --join       prints the link for you
 *   npm run example 01 -- --kill       kills the bot during the call: its guardian deletes the room
 */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LiveKitRESTHelper } from 'endframe/livekit';
import { type Caller, spawnCaller, startLiveKitServer } from 'endframe/testing';
import { callers } from './callers.ts';

// LiveKit's SDK prints debug lines otherwise
process.env.NODE_ENV ??= 'production';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { join: { type: 'boolean' }, kill: { type: 'boolean' } },
});
const folder = new URL('../', import.meta.url);
const [number = ''] = positionals;
const name = readdirSync(folder).find(
  (file) => number !== '' && file.startsWith(number) && file.endsWith('.ts'),
);
if (name === undefined)
  throw new Error(`npm run example NUMBER, such as 01; there is no example "${number}"`);
const sweeps = name.startsWith('06');

function print(subject: string, what: string): void {
  console.log(`${subject.padEnd(8)}${what}`);
}

const webhook = { api_key: 'key', urls: ['http://127.0.0.1:8089/livekit-webhook'] };
const keys = { key: 'a-secret-of-at-least-32-characters' };
const server = await startLiveKitServer(sweeps ? { config: { keys, webhook } } : {});
const { url, httpUrl: apiUrl, apiKey, apiSecret } = server;
const rest = new LiveKitRESTHelper({ apiUrl, apiKey, apiSecret });

/** Starts a program of the examples; `onLine` gets what it prints. */
function start(file: string, onLine: (line: string) => void) {
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(new URL(file, folder))], {
    env: { ...process.env, LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface(child.stdout).on('line', onLine);
  return child;
}

async function call(token: string, talk: (caller: Caller) => Promise<unknown>): Promise<void> {
  const caller = spawnCaller({ url, token });
  await caller.waitFor('joined', { timeoutMs: 60_000 });
  print('caller', 'has joined');
  await talk(caller).catch((error) => {
    // the bot may end before the caller is done
    if (!caller.events.some(({ event }) => event === 'disconnected')) throw error;
  });
  await caller.exited;
  for (const event of caller.events) {
    if (event.event === 'heard') print('caller', `heard ${(event.heardMs / 1_000).toFixed(1)} s of the bot`);
    if (event.event === 'disconnected') print('caller', `was disconnected with ${event.reason}`);
    if (event.event === 'left') print('caller', 'hung up');
  }
}

/** Kills the bot in the middle of a call, as the out-of-memory killer would; its guardian too, as with a container. */
async function kill(caller: Caller, { andGuardian }: { andGuardian: boolean }): Promise<void> {
  await caller.waitFor('trackSubscribed', { timeoutMs: 30_000 });
  if (andGuardian) {
    // the only child of a bot
    process.kill(Number(execFileSync('pgrep', ['-P', String(bot.pid)], { encoding: 'utf8' })), 'SIGKILL');
  }
  bot.kill('SIGKILL');
  const at = Date.now();
  print('bot', andGuardian ? 'is killed, and its guardian' : 'is killed');
  const { at: outAt } = await caller.waitFor('disconnected', { timeoutMs: 90_000 });
  print('caller', `was in the room for ${Math.round(outAt - at)} ms more`);
}

const sweeper = sweeps ? start(name, (line) => print('sweeper', line)) : undefined;
if (sweeper) await once(sweeper.stdout, 'data');
let called: Promise<void> | undefined;
let roomName: string | undefined;
const bot = start(sweeps ? '01-echo-bot.ts' : name, (line) => {
  const [link] = /https:\S+/.exec(line) ?? [];
  if (link === undefined) return print('bot', line);
  const token = new URL(link).searchParams.get('token') ?? '';
  roomName = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).video.room;
  if (values.join) print('you', `can join here:\n\n${link}\n`);
  else {
    const talk = callers[name.slice(0, 2)] ?? (async () => {});
    const killed = values.kill || sweeps;
    called = call(token, (caller) => (killed ? kill(caller, { andGuardian: sweeps }) : talk(caller)));
  }
});
const [code] = await once(bot, 'close');
await called;
if (code !== 0 && !values.kill && !sweeps) process.exitCode = 1;
sweeper?.kill('SIGTERM');
const left = roomName === undefined ? [] : await rest.listRooms([roomName]);
print('room', left.length === 0 ? 'gone' : 'STILL THERE');
if (left.length > 0) process.exitCode = 1;
if (sweeper) await once(sweeper, 'close');
await server.stop();
