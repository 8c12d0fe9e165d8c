import { MemoryStore } from '../../../src/sweeper/engine/memory-store.ts';
import { sweepStoreContract } from '../../contracts/sweep-store.contract.ts';

sweepStoreContract('MemoryStore', { make: () => new MemoryStore(() => performance.now()) });
