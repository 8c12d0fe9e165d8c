import { InMemoryEngine } from '../../src/sweeper/in-memory-engine.ts';
import { sweeperEngineContract } from '../contracts/sweeper-engine.contract.ts';

sweeperEngineContract('InMemoryEngine', { make: () => new InMemoryEngine() });
