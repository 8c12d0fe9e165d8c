/** What every engine has to do, by BullMQ on a real Redis. */

import { silentLogger } from '../../../src/lib/logger.ts';
import { BullMqEngine } from '../../../src/sweeper/engine/bullmq-engine.ts';
import { FakeLiveKitServer } from '../../../src/testing/fake-livekit-server.ts';
import { sweeperEngineContract } from '../../contracts/sweeper-engine.contract.ts';
import { describeWith } from '../../support/requirements.ts';
import { sharedRedis } from '../../support/shared-services.ts';

const describe = await describeWith('redis-server');

describe('with a real Redis', () => {
  let redisUrl: string;
  sweeperEngineContract('BullMqEngine', {
    open: async () => {
      redisUrl = await sharedRedis();
    },
    livekit: () => FakeLiveKitServer.start(),
    make: (queueName) => new BullMqEngine({ redisUrl, queueName, lockMs: 1_000, logger: silentLogger }),
  });
});
