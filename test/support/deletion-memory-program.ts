/** Deletes a room so many times, then as often again, and prints by how many bytes that made the process larger. */

import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';

const [apiUrl = '', times = ''] = process.argv.slice(2);
const rest = new LiveKitRESTHelper({ apiUrl, apiKey: 'key', apiSecret: 'secret' });
const kinds = new Set<unknown>();

async function deleteOften(): Promise<void> {
  for (let time = 0; time < Number(times); time += 1) {
    await rest.deleteRoomByName('room').catch(({ kind }) => kinds.add(kind));
    globalThis.gc?.();
  }
}

await deleteOften();
const before = process.memoryUsage.rss();
let highest = before;
const watch = setInterval(() => {
  highest = Math.max(highest, process.memoryUsage.rss());
}, 5);
await deleteOften();
clearInterval(watch);
process.stdout.write(JSON.stringify({ kinds: [...kinds], grewBytes: highest - before }));
