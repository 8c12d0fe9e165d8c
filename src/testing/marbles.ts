import { deepStrictEqual } from 'node:assert/strict';
import { TestScheduler } from 'rxjs/testing';

type RunHelpers = Parameters<Parameters<TestScheduler['run']>[0]>[0];

/** Runs `body` in virtual time: one marble character is 1 ms, and nothing really waits. */
export function marbles<T>(body: (helpers: RunHelpers) => T): T {
  return new TestScheduler(deepStrictEqual).run(body);
}
