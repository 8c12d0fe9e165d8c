/** What is measured: rows of small processors in a started task, and frames to send through them. */

import { FrameProcessor, Pipeline, PipelineTask, silentLogger, TextFrame } from '../../dist/index.js';

/** @typedef {import('../../dist/index.js').Frame} Frame */
/** @typedef {import('../../dist/index.js').FrameDirection} FrameDirection */
/** @typedef {import('../../dist/index.js').PipelineTaskOptions} PipelineTaskOptions */

export class PassOn extends FrameProcessor {
  /**
   * @param {Frame} frame
   * @param {FrameDirection} direction
   */
  process(frame, direction) {
    this.push(frame, direction);
  }
}

export class PassOnLater extends FrameProcessor {
  /**
   * @param {Frame} frame
   * @param {FrameDirection} direction
   */
  async process(frame, direction) {
    await undefined;
    this.push(frame, direction);
  }
}

/** @param {number} count */
export function textFrames(count) {
  return Array.from({ length: count }, (_, index) => new TextFrame(`word ${index}`));
}

/**
 * @param {number} length
 * @param {new () => FrameProcessor} [processorClass]
 */
export function processors(length, processorClass = PassOn) {
  return Array.from({ length }, () => new processorClass());
}

/**
 * Runs processors in a task, as a program would, and waits until it has started.
 *
 * @param {readonly FrameProcessor[]} row
 * @param {PipelineTaskOptions} [options]
 */
export async function startRow(row, options) {
  const task = new PipelineTask(new Pipeline(row), { logger: silentLogger, ...options });
  let missing = 0;
  let arrived = () => {};
  task.frames$.subscribe(() => {
    missing -= 1;
    if (missing === 0) arrived();
  });
  const started = new Promise((resolve) => task.once('started', () => resolve(undefined)));
  const result = task.run();
  await started;
  return {
    task,
    /** How the run ended. */
    result,
    /**
     * Sends frames in one go; fulfils when the last has come out.
     *
     * @param {readonly Frame[]} frames
     * @returns {Promise<void>}
     */
    send(frames) {
      missing = frames.length;
      const all = new Promise((resolve) => {
        arrived = () => resolve(undefined);
      });
      for (const frame of frames) task.queueFrame(frame);
      return all;
    },
    /**
     * Sends one frame; fulfils when it has come out, whatever comes out before.
     *
     * @param {Frame} sent
     * @returns {Promise<void>}
     */
    sendOne(sent) {
      return new Promise((resolve) => {
        const subscription = task.frames$.subscribe((frame) => {
          if (frame !== sent) return;
          subscription.unsubscribe();
          resolve();
        });
        task.queueFrame(sent);
      });
    },
    end() {
      task.stopWhenDone();
      return result;
    },
  };
}
