/** Frames by class. */

import { filter, type OperatorFunction } from 'rxjs';
import { InvalidOptionError } from '../lib/errors.ts';
import { type Frame, isFrame } from './frame.ts';

/** A frame class, abstract ones included. */
export type FrameClass<F extends Frame = Frame> = abstract new (...args: never[]) => F;

/**
 * Passes only frames of the given classes, narrowed to them: `frames$.pipe(ofFrame(EndFrame, CancelFrame))`.
 *
 * @throws {InvalidOptionError} One of them is no frame class.
 */
export function ofFrame<Classes extends readonly FrameClass[]>(
  ...classes: Classes
): OperatorFunction<Frame, InstanceType<Classes[number]>> {
  checkFrameClasses('classes', classes);
  return filter((frame): frame is InstanceType<Classes[number]> => isOneOf(frame, classes));
}

/** Whether a frame is of one of the given classes. */
export function isOneOf(frame: Frame, classes: readonly FrameClass[]): boolean {
  return classes.some((frameClass) => frame instanceof frameClass);
}

/** @throws {InvalidOptionError} It is no list of frame classes. */
export function checkFrameClasses(
  option: string,
  classes: unknown,
): asserts classes is readonly FrameClass[] {
  if (!Array.isArray(classes)) throw new InvalidOptionError(option, 'a list of frame classes', classes);
  for (const one of classes) {
    // also those of another copy of the package
    if (typeof one === 'function' && isFrame(one.prototype)) continue;
    throw new InvalidOptionError(option, 'a list of frame classes', one);
  }
}
