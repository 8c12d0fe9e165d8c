import { afterEach, type TestContext } from 'vitest';

/** Keeps what a test starts, and ends it with the test, the newest first. */
export type Keep = <T extends AsyncDisposable>(resource: T) => T;

/**
 * For the tests of a file that run one after the other.
 *
 * Before the `afterEach` hooks that were set earlier: vitest runs the newest first.
 */
export function endedAfterEach(): Keep {
  const toEnd: AsyncDisposable[] = [];
  afterEach(() => endAll(toEnd));
  return keepIn(toEnd);
}

/** For one test, which others may run beside. */
export function endedAfter({ onTestFinished }: TestContext): Keep {
  const toEnd: AsyncDisposable[] = [];
  onTestFinished(() => endAll(toEnd));
  return keepIn(toEnd);
}

function keepIn(toEnd: AsyncDisposable[]): Keep {
  return (resource) => {
    toEnd.push(resource);
    return resource;
  };
}

async function endAll(toEnd: AsyncDisposable[]): Promise<void> {
  for (const resource of toEnd.splice(0).reverse()) await resource[Symbol.asyncDispose]();
}
