/** All processors of a compound at once: one that fails or hangs does not keep the others from it. */

import { errorMessage } from '../lib/errors.ts';
import { withTimeout } from '../lib/timeout.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';

/** The run at whose end a processor was cleaned up last. */
const cleanedUp = new WeakMap<FrameProcessor, FrameProcessorSetup>();

/**
 * Sets all of them up; one that throws is reported upstream and unusable, the others go on. One that is set up
 * when the run's cleanup is behind it is cleaned up once more: what it made since then would remain.
 */
export function setUpAll(
  processors: readonly FrameProcessor[],
  setup: FrameProcessorSetup,
): void | Promise<void> {
  const pending: Promise<void>[] = [];
  for (const processor of processors) {
    const startedMs = performance.now();
    const finished = (): void => setup.monitor.processorSetUp(processor, startedMs, performance.now());
    const failed = (error: unknown): void => {
      processor.setUsable(false);
      processor.pushError({
        error: `Error setting up processor: ${errorMessage(error)}`,
        cause: error,
      });
      setup.monitor.unusable(processor);
    };
    cleanedUp.delete(processor);
    try {
      const result = processor.setup(setup);
      if (result === undefined) finished();
      else
        pending.push(
          result.then(finished, failed).then(() => {
            // a compound's processors come here by themselves
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

/** Cleans all of them up, each within the run's limit; what fails or is late is logged. */
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
