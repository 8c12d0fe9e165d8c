import { afterEach } from 'vitest';

/**
 * For what a test starts: the function that it gives keeps it, and ends it after the test, the newest first.
 *
 * Before the `afterEach` hooks that were set earlier: vitest runs the newest first.
 */
export function endedAfterEach(): <T extends AsyncDisposable>(resource: T) => T {
  const toEnd: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const resource of toEnd.splice(0).reverse()) await resource[Symbol.asyncDispose]();
  });
  return (resource) => {
    toEnd.push(resource);
    return resource;
  };
}
