/** Marble tests in virtual time. */

import { deepStrictEqual } from 'node:assert/strict';
import { TestScheduler } from 'rxjs/testing';

type RunHelpers = Parameters<Parameters<TestScheduler['run']>[0]>[0];

/** Runs `body` in the virtual time of RxJS's TestScheduler: one marble character is 1 ms. */
export function marbles<T>(body: (helpers: RunHelpers) => T): T {
  return new TestScheduler(deepStrictEqual).run(body);
}
