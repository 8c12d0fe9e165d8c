/** Runs before each test file: a guardian that is started from these sources needs the loader, which vitest has not. */

import { nodeArgs } from './run-typescript.ts';

if (!process.execArgv.includes('--import')) process.execArgv.push(...nodeArgs);
