/**
 * Shows a sweeper that LiveKit's webhooks make look sooner, behind a small web server (hono).
 *
 * Run: `npm run build && node examples/06-sweeper-webhook.ts` (Node 22.18 and later run TypeScript).
 * You will see: a room without a bot, the webhooks that tell of it, each of which has the sweeper look within a
 * second, and the room being deleted after its grace. Webhooks only save time: without them it goes a little later.
 */

import { serve } from '@hono/node-server';
import { generateRoomName, LiveKitRESTHelper, Sweeper, webhookHandler } from 'endframe/sweeper';
import { startLiveKitServer } from 'endframe/testing';
import { Hono } from 'hono';

const apiKey = 'key';
const apiSecret = 'a-secret-of-at-least-32-characters';
const port = 8089;

const server = await startLiveKitServer({
  config: {
    keys: { [apiKey]: apiSecret },
    webhook: { api_key: apiKey, urls: [`http://127.0.0.1:${port}/livekit-webhook`] },
  },
});
const rest = new LiveKitRESTHelper({ apiUrl: server.url, apiKey, apiSecret });
const sweeper = new Sweeper({ rest, prefix: 'sample-', pollMs: 2_000, leaseTtlMs: 6_000, graceMs: 6_000 });
const handle = webhookHandler({ apiKey, apiSecret, sweeper });

const app = new Hono();
app.post('/livekit-webhook', async ({ req }) => {
  const response = await handle(req.raw);
  console.log('a webhook came, answered with', response.status);
  return response;
});
const http = serve({ fetch: app.fetch, port });

sweeper.on('roomReaped', ({ roomName, reason, silentMs }) => {
  console.log(`${roomName} is gone: ${reason} for ${silentMs} ms`);
});
const reaped = new Promise((resolve) => sweeper.once('roomReaped', resolve));

sweeper.start();
await rest.createRoom(generateRoomName('sample-'));
console.log('a room without a bot was created');
await reaped;

await sweeper.stop();
http.close();
await server.stop();
