/** A sweeper with a web server, so that LiveKit's webhooks make it look sooner. Prints a line for each pass. */

import { serve } from '@hono/node-server';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import { Sweeper } from '../../src/sweeper/sweeper.ts';
import type { SweeperOptions } from '../../src/sweeper/sweeper-options.ts';
import { webhookHandler } from '../../src/sweeper/webhook/webhook-handler.ts';

/** In the environment, as JSON, as `SWEEPER`; server and keys are in `LIVEKIT_URL` and so on. */
export interface ChaosSweeperProgram {
  readonly options: Omit<SweeperOptions, 'rest'>;
  /** Where the webhooks come. */
  readonly port: number;
}

const {
  LIVEKIT_URL: apiUrl = '',
  LIVEKIT_API_KEY: apiKey = '',
  LIVEKIT_API_SECRET: apiSecret = '',
} = process.env;
const { options, port } = JSON.parse(process.env.SWEEPER ?? '') as ChaosSweeperProgram;
const sweeper = new Sweeper({ ...options, rest: new LiveKitRESTHelper({ apiUrl, apiKey, apiSecret }) });
sweeper.on('swept', (report) => process.stdout.write(`${JSON.stringify(report)}\n`));
serve({ fetch: webhookHandler({ apiKey, apiSecret, sweeper }), port, hostname: '127.0.0.1' });
sweeper.start();
