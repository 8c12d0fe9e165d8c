/** Frames on their way, as an observer is told of them; time is what the test says. */

import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import type { Observer } from '../../src/observers/observer.ts';
import type { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';

export interface Hops {
  /** Tells the observer of a frame, at each of three hops. */
  sees(frame: Frame, direction?: FrameDirection): void;
  /** Lets time pass, in milliseconds. */
  passes(ms: number): void;
  readonly nowMs: number;
}

export function hopsFor(observer: Observer, advance: (ms: number) => void = () => {}): Hops {
  const [first, second, third]: FrameProcessor[] = [1, 2, 3].map(() => new IdentityFilter());
  let nowMs = 1_000;
  return {
    get nowMs() {
      return nowMs;
    },
    passes(ms) {
      nowMs += ms;
      advance(ms);
    },
    sees(frame, direction = 'downstream') {
      for (const [source, destination] of [
        [first, second],
        [second, third],
        [third, undefined],
      ]) {
        void observer.onPushFrame?.({
          source: source as FrameProcessor,
          destination,
          frame,
          direction,
          timestampMs: nowMs,
        });
      }
    },
  };
}
