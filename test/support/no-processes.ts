/**
 * Runs before each file of unit tests: what starts a process is none. A file whose only process is a guardian imports
 * `guardian-from-source.ts`, by which it is known as what it is.
 */

import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, expect } from 'vitest';

const started: unknown[] = [];
const refuse = (command: unknown): never => {
  started.push(command);
  throw new Error('A unit test starts no process');
};
const starters = ['spawn', 'fork', 'exec', 'execFile', 'spawnSync', 'execSync', 'execFileSync'];
Object.assign(childProcess, Object.fromEntries(starters.map((name) => [name, refuse])));
syncBuiltinESMExports();

afterEach(() => expect(started.splice(0), 'processes that a unit test has started').toEqual([]));
