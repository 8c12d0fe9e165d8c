/** A sweeper on a queue, in a process of its own, which takes messages for hints. */

import { silentLogger } from '../../src/lib/logger.ts';
import {
  LiveKitRESTHelper,
  type LiveKitRESTHelperOptions,
} from '../../src/rooms/rest/livekit-rest-helper.ts';
import { BullMqEngine, type BullMqEngineOptions } from '../../src/sweeper/engine/bullmq-engine.ts';
import { Sweeper } from '../../src/sweeper/sweeper.ts';
import type { SweeperOptions } from '../../src/sweeper/sweeper-options.ts';

/** As JSON, its only argument. */
export interface HintedSweeperProgram {
  readonly access: Pick<LiveKitRESTHelperOptions, 'apiUrl' | 'apiKey' | 'apiSecret'>;
  readonly queue: BullMqEngineOptions;
  readonly options: Omit<SweeperOptions, 'rest' | 'engine' | 'logger'>;
}

const { access, queue, options } = JSON.parse(process.argv[2] ?? '') as HintedSweeperProgram;
const engine = new BullMqEngine({ ...queue, logger: silentLogger });
const rest = new LiveKitRESTHelper(access);
const sweeper = new Sweeper({ ...options, rest, engine, logger: silentLogger });
process.on('message', (roomName) => sweeper.lookSooner(String(roomName)));
sweeper.start();
