/** A LiveKit with many rooms, in a process of its own: each bot beats its lease every five seconds. */

import { leaseAttribute, leaseBeatMs } from '../../src/rooms/lease.ts';
import { FakeLiveKitServer } from '../../src/testing/fake-livekit-server.ts';

const [count = 0, dead = 0] = process.argv.slice(2).map(Number);
const server = await FakeLiveKitServer.start();
let beats = 0;
for (let index = 0; index < count; index += 1) {
  server.createRoom(`crowd-${index}`, { metadata: '{"endframe":true}' });
  server.join(`crowd-${index}`, 'bot', { agent: true, attributes: { [leaseAttribute]: 'run.0' } });
  server.join(`crowd-${index}`, 'caller');
}
setInterval(() => {
  beats += 1;
  for (let index = dead; index < count; index += 1) {
    const bot = server.room(`crowd-${index}`)?.participants.get('bot');
    if (bot !== undefined) bot.attributes[leaseAttribute] = `run.${beats}`;
  }
}, leaseBeatMs);
process.on('message', () => process.send?.({ rooms: server.rooms.length, requests: server.requests.length }));
process.on('disconnect', () => process.exit());
process.send?.({ url: server.url, apiKey: server.apiKey, apiSecret: server.apiSecret });
