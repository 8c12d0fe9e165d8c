/** A bot that prints how the start of its guardian goes; for spawn-guardian.test.ts. */

import { closeSync, openSync } from 'node:fs';
import { guardian } from '../../../src/rooms/guardian/guardian-client.ts';
import {
  LiveKitRESTHelper,
  type LiveKitRESTHelperOptions,
} from '../../../src/rooms/rest/livekit-rest-helper.ts';
import { RoomDeleter } from '../../../src/rooms/room-deleter.ts';

/** What it tells over IPC. */
export interface StartReport {
  /** How many timers of 10 ms have fired since the guardian was to start. */
  readonly turns: number;
  /** How much of one core this process has used since then. */
  readonly cpuShare: number;
  readonly warnings: readonly string[];
  readonly armed: boolean;
}

const { BOT_REST = '', BOT_NODE, BOT_TAKES_ALL_FILES } = process.env;
const rest = new LiveKitRESTHelper(JSON.parse(BOT_REST) as LiveKitRESTHelperOptions);
const warnings: string[] = [];
const warn = (fields: object, message: string): void => {
  const { error } = fields as { error?: Error };
  warnings.push(`${message}: ${error?.message}`);
};
const logger = { debug: () => {}, info: () => {}, warn, error: () => {} };
const deleter = new RoomDeleter({ roomName: 'my-room', rest, guardian: true, verify: false, logger });
if (BOT_NODE) process.execPath = BOT_NODE;

const files: number[] = [];
try {
  while (BOT_TAKES_ALL_FILES) files.push(openSync('/dev/null', 'r'));
} catch {
  // EMFILE: there is none left
}

const cpu = process.cpuUsage();
const startedMs = performance.now();
let turns = 0;
setInterval(() => {
  turns += 1;
}, 10);
deleter.watchProcess();

process.on('message', (question) => {
  if (question === 'free') for (const file of files.splice(0)) closeSync(file);
  const { user, system } = process.cpuUsage(cpu);
  const cpuShare = (user + system) / 1_000 / (performance.now() - startedMs);
  process.send?.({ turns, cpuShare, warnings, armed: guardian.armed } satisfies StartReport);
});
process.send?.('ready');
