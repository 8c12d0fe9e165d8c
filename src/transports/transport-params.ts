import { InvalidOptionError } from '../errors.ts';

/** What a transport carries, and how. Everything is off until it is asked for. */
export interface TransportParams {
  /** Whether participants are heard. Default false. */
  readonly audioInEnabled?: boolean | undefined;
  /** In hertz. Default: the task's, 16 000. */
  readonly audioInSampleRate?: number | undefined;
  /** Default 1. */
  readonly audioInChannels?: number | undefined;
  /** Whether what is heard goes down the pipeline. Default true. */
  readonly audioInPassthrough?: boolean | undefined;
  /** Whether the bot is heard. Default false. */
  readonly audioOutEnabled?: boolean | undefined;
  /** In hertz. Default: the task's, 24 000. */
  readonly audioOutSampleRate?: number | undefined;
  /** Default 1. */
  readonly audioOutChannels?: number | undefined;
  /** How much is written at once, in units of 10 ms. Default 4. */
  readonly audioOut10msChunks?: number | undefined;
  /** Silence after the last sound of an EndFrame, in milliseconds. Default 0. */
  readonly endSilenceMs?: number | undefined;
}

/** {@link TransportParams} with the defaults filled in; rates that the task decides stay open. */
export interface FilledTransportParams extends Required<TransportParams> {
  readonly audioInEnabled: boolean;
  readonly audioInChannels: number;
  readonly audioInPassthrough: boolean;
  readonly audioOutEnabled: boolean;
  readonly audioOutChannels: number;
  readonly audioOut10msChunks: number;
  readonly endSilenceMs: number;
}

/**
 * @throws {InvalidOptionError} A value can never work.
 * @see Pipecat `transports/base_transport.py`, `TransportParams`; there the end silence is 2 s.
 */
export function filledParams(params: TransportParams = {}): FilledTransportParams {
  return {
    audioInEnabled: checkedFlag('audioInEnabled', params.audioInEnabled, false),
    audioInSampleRate: checkedRate('audioInSampleRate', params.audioInSampleRate),
    audioInChannels: checkedCount('audioInChannels', params.audioInChannels, 1),
    audioInPassthrough: checkedFlag('audioInPassthrough', params.audioInPassthrough, true),
    audioOutEnabled: checkedFlag('audioOutEnabled', params.audioOutEnabled, false),
    audioOutSampleRate: checkedRate('audioOutSampleRate', params.audioOutSampleRate),
    audioOutChannels: checkedCount('audioOutChannels', params.audioOutChannels, 1),
    audioOut10msChunks: checkedCount('audioOut10msChunks', params.audioOut10msChunks, 4),
    endSilenceMs: checkedSilence('endSilenceMs', params.endSilenceMs),
  };
}

function checkedFlag(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value === 'boolean') return value;
  throw new InvalidOptionError(name, 'true or false', value);
}

function checkedRate(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  // chunks of 10 ms must be whole samples
  if (typeof value === 'number' && value > 0 && Number.isInteger(value / 100)) return value;
  throw new InvalidOptionError(name, 'a whole number of hundreds of hertz above 0', value);
}

function checkedCount(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw new InvalidOptionError(name, 'a whole number above 0', value);
}

function checkedSilence(name: string, value: unknown): number {
  if (value === undefined) return 0;
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidOptionError(name, 'a number of milliseconds, 0 or more', value);
}
