import { filter, type OperatorFunction } from 'rxjs';
import type { Frame } from './frame.ts';
import { checkFrameClasses } from './frame-checks.ts';

/** A frame class, abstract ones included. */
export type FrameClass<F extends Frame = Frame> = abstract new (...args: never[]) => F;

/**
 * Passes only frames of the given classes, narrowed to them: `frames$.pipe(ofFrame(EndFrame))`.
 *
 * @throws {InvalidOptionError} One of them is no frame class.
 */
export function ofFrame<F extends Frame>(...classes: FrameClass<F>[]): OperatorFunction<Frame, F> {
  checkFrameClasses('classes', classes);
  return filter((frame): frame is F => isOneOf(frame, classes));
}

/** Whether a frame is of one of the given classes. */
export function isOneOf(frame: Frame, classes: readonly FrameClass[]): boolean {
  return classes.some((frameClass) => frame instanceof frameClass);
}
