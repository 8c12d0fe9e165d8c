/** Runs each test once, also those that ask for repetitions: the fault matrix tells what holds, not what held at last. */

import { TestRunner } from 'vitest';

export default class OneTryRunner extends TestRunner {
  /** @override */
  onBeforeRunTask(/** @type {import('vitest').RunnerTask} */ task) {
    if (task.type === 'test') task.retry = 0;
    return super.onBeforeRunTask(task);
  }
}
