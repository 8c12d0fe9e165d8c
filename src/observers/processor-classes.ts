/** Processors by class. */

import { InvalidOptionError } from '../lib/errors.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';

/** A class of processors, abstract ones included. */
export type ProcessorClass = abstract new (...args: never[]) => FrameProcessor;

/** @throws {InvalidOptionError} It is no list of classes. */
export function checkProcessorClasses(option: string, classes: unknown): void {
  if (Array.isArray(classes) && classes.every((one) => typeof one === 'function')) return;
  throw new InvalidOptionError(option, 'a list of processor classes', classes);
}
