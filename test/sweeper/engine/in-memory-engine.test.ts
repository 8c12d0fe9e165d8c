import { InMemoryEngine, MemoryStore } from '../../../src/sweeper/engine/in-memory-engine.ts';
import { MemoryLiveKit } from '../../contracts/memory-livekit.ts';
import { sweepStoreContract } from '../../contracts/sweep-store.contract.ts';
import { sweeperEngineContract } from '../../contracts/sweeper-engine.contract.ts';
import { useVirtualTime } from '../../support/fake-time.ts';

useVirtualTime();

sweeperEngineContract('InMemoryEngine', {
  livekit: async () => new MemoryLiveKit(),
  make: () => new InMemoryEngine(),
});

sweepStoreContract('MemoryStore', { make: () => new MemoryStore(() => performance.now()) });
