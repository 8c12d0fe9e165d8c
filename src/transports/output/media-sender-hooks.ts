/** What the output transport provides to the sender of a destination. */

import type { StreamResampler } from '../../audio/resampler.ts';
import type { OutputAudioRawFrame } from '../../frames/audio.ts';
import type { Frame, SystemFrame } from '../../frames/frame.ts';
import type { OutputImageRawFrame } from '../../frames/images.ts';
import type { ResolvedTransportParams } from '../transport-params.ts';

/** Callbacks into the output transport; the first five are hooks of its subclass and may throw. */
export interface MediaSenderHooks {
  /** Plays a chunk; resolves when the next one is due, with whether this one was played. */
  writeAudioFrame(chunk: OutputAudioRawFrame): Promise<boolean>;
  /** Shows an image; resolves with whether it was shown. */
  writeVideoFrame(image: OutputImageRawFrame): Promise<boolean>;
  /** Discards audio that was written and not played yet. */
  clearAudio(destination: string | undefined): void | Promise<void>;
  /** Resolves when everything written has been played. */
  waitForPlayout(destination: string | undefined): Promise<void>;
  /** Makes a resampler from this rate, in hertz, to the output's. */
  createResampler(fromHz: number): StreamResampler;
  /** Called in order for frames that are neither audio nor images. */
  deliver(frame: Frame): void | Promise<void>;
  /** Pushes a frame downstream. */
  push(frame: Frame): void;
  /** Pushes a frame in both directions. */
  broadcast(frame: SystemFrame): void;
  /** Reports an error as an ErrorFrame. */
  readonly failed: (error: unknown) => void;
  /** Called when a frame was dropped because this option is off. */
  readonly isOff: (option: 'audioOutEnabled' | 'videoOutEnabled') => void;
  /** Called for each chunk played, so that a drain counts as progress. */
  progressed(): void;
}

/** One destination and its format. */
export interface MediaSenderOptions {
  /** `undefined` for the default one. */
  readonly destination: string | undefined;
  /** The parameters of the transport. */
  readonly params: ResolvedTransportParams;
  /** Of the audio that is written, in hertz. */
  readonly sampleRate: number;
  /** The methods of the transport. */
  readonly hooks: MediaSenderHooks;
}

/** Runs work that may fail; resolves with its result, or with `fallback` after an error. Never rejects. */
export type GuardedCall = <T>(work: () => T | Promise<T>, fallback: T) => Promise<T>;

/** Reports only the first of consecutive errors: at 25 chunks a second each would be one too many. */
export function reportOnce(report: (error: unknown) => void): GuardedCall {
  let isFailing = false;
  return async (work, fallback) => {
    try {
      const result = await work();
      isFailing = false;
      return result;
    } catch (error) {
      if (!isFailing) report(error);
      isFailing = true;
      return fallback;
    }
  };
}
