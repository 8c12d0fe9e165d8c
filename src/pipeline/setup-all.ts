/** Sets up and cleans up all processors of a compound concurrently: one that fails or hangs does not affect the others. */

import { errorMessage } from '../lib/errors.ts';
import { withTimeout } from '../lib/timeout.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';

/** The run that cleaned up a processor last. */
const cleanedUp = new WeakMap<FrameProcessor, FrameProcessorSetup>();

/**
 * A processor that throws is reported upstream and unusable. A `setup()` that settles after the run's cleanup is
 * cleaned up again, so it leaks nothing.
 */
export function setUpAll(
  processors: readonly FrameProcessor[],
  setup: FrameProcessorSetup,
): void | Promise<void> {
  const pending: Promise<void>[] = [];
  for (const processor of processors) {
    const startedMs = performance.now();
    const finished = (): void => setup.hooks.onProcessorSetUp(processor, startedMs, performance.now());
    const failed = (error: unknown): void => {
      processor.setUsable(false);
      processor.pushError({
        error: `Error setting up processor: ${errorMessage(error)}`,
        cause: error,
      });
      setup.hooks.onUnusable(processor);
    };
    cleanedUp.delete(processor);
    try {
      const result = processor.setup(setup);
      if (result === undefined) finished();
      else
        pending.push(
          result.then(finished, failed).then(() => {
            // a compound's processors get here by themselves
            const isLate = cleanedUp.get(processor) === setup && processor.processors.length === 0;
            if (isLate) return cleanUpAll([processor], setup);
          }),
        );
    } catch (error) {
      failed(error);
    }
  }
  if (pending.length > 0) return Promise.all(pending).then(() => {});
}

/** Each cleanup has the run's limit; one that fails or exceeds it is logged. */
export function cleanUpAll(
  processors: readonly FrameProcessor[],
  setup: FrameProcessorSetup,
): void | Promise<void> {
  const pending: Promise<void>[] = [];
  for (const processor of processors) {
    const failed = (error: unknown): void =>
      setup.logger.error({ processor: processor.name, error }, 'a processor failed to clean up');
    cleanedUp.set(processor, setup);
    try {
      const result = processor.cleanup();
      if (result === undefined) continue;
      pending.push(
        withTimeout(result, setup.cleanupTimeoutMs).then((end) => {
          if (end === 'timeout')
            setup.logger.error({ processor: processor.name }, 'a processor did not clean up in time');
        }, failed),
      );
    } catch (error) {
      failed(error);
    }
  }
  if (pending.length > 0) return Promise.all(pending).then(() => {});
}
