/** `endframe sweep` in a process of its own. */

import { sweepCommand } from '../../src/cli/sweep.ts';

process.exitCode = await sweepCommand(process.argv.slice(2));
