/** A process that has a verdict and nothing else to do, or exits while the model is at it. */

import { existsSync } from 'node:fs';
import { SmartTurnModel } from '../../../src/conversation/turns/smart-turn-model.ts';

const [, , path = '', packagesFrom = '', then] = process.argv;
const model = new SmartTurnModel({ path, threads: 1, packagesFrom: [packagesFrom] });
const verdict = model.probability(new Int16Array(160), new AbortController().signal);
if (then === 'end') process.stdout.write(`${await verdict}\n`);
else {
  setInterval(() => {
    if (existsSync(`${path}.running`)) process.exit(5);
  }, 1);
}
