/**
 * A sweeper that deletes rooms whose bot is gone, with its guardian, and that LiveKit's webhooks make look sooner. It
 * runs beside the bots, behind a small web server (hono), until it gets SIGTERM.
 *
 * Run:      npm run example 06       with the bot of 01, which is killed during a call, and its guardian as well
 * You see:  caller  has joined
 *           bot     is killed, and its guardian
 *           sweeper orphan found: lease-expired, silent for 12.4 s
 *           caller  was disconnected with ROOM_DELETED
 *           room    gone
 */

import { serve } from '@hono/node-server';
import { LiveKitRESTHelper, Sweeper, webhookHandler } from 'endframe/sweeper';
import { Hono } from 'hono';

const {
  LIVEKIT_URL: apiUrl = 'ws://localhost:7880',
  LIVEKIT_API_KEY: apiKey = 'devkey',
  LIVEKIT_API_SECRET: apiSecret = 'secret',
} = process.env;
const port = 8_089; // LiveKit's configuration: webhook: { api_key: …, urls: [http://…:8089/livekit-webhook] }

const rest = new LiveKitRESTHelper({ apiUrl, apiKey, apiSecret });
// impatient, for an example: leave leaseTtlMs and graceMs at their 30 s
const sweeper = new Sweeper({
  rest,
  prefix: 'endframe-',
  leaseTtlMs: 12_000,
  graceMs: 12_000,
  pollMs: 2_000,
});
const handle = webhookHandler({ apiKey, apiSecret, sweeper });
const app = new Hono();
app.post('/livekit-webhook', ({ req }) => handle(req.raw));

sweeper.on('orphanFound', ({ reason, silentMs }) => {
  console.log(`orphan found: ${reason}, silent for ${(silentMs / 1_000).toFixed(1)} s`);
});
sweeper.start();
const http = serve({ fetch: app.fetch, port }, () => console.log(`listens for webhooks on port ${port}`));
process.once('SIGTERM', async () => {
  await sweeper.stop();
  http.close();
});
