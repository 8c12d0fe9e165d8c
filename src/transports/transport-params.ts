import type { Company } from '../frames/participants.ts';
import { InvalidOptionError } from '../lib/errors.ts';
import {
  checkBoolean,
  checkCount,
  checkDurationMs,
  checkMethods,
  checkNames,
  checkOneOf,
  checkRateHz,
} from '../lib/options.ts';
import type { AudioMixer, AudioMixers } from './audio-mixer.ts';

const trackSources = ['microphone', 'camera', 'screen-share', 'unknown'] as const;

/** What a participant's track is of, as its publisher says; `unknown` where they do not. */
export type TrackSource = (typeof trackSources)[number];

/** What a transport carries, and how. Everything is off until it is asked for. */
export interface TransportParams {
  /**
   * Who makes the bot not alone: the `ClientConnectedFrame` waits for them, and sound is dropped when the last of
   * them has left. Default `'people'`; `'everybody'` for bots that talk with bots.
   */
  readonly company?: Company | undefined;
  /** Whether participants are heard. Default false. */
  readonly audioInEnabled?: boolean | undefined;
  /**
   * Which of a participant's tracks are heard. Each frame names its own in `transportSource`; no two tracks have the
   * same `userId` and `transportSource` at once. Default `['microphone']`.
   */
  readonly audioInSources?: readonly TrackSource[] | undefined;
  /** In hertz. Default: the task's, 16 000. */
  readonly audioInSampleRate?: number | undefined;
  /** Default 1. */
  readonly audioInChannels?: number | undefined;
  /** Whether what is heard goes down the pipeline. Default true. */
  readonly audioInPassthrough?: boolean | undefined;
  /** Whether that begins with the run; otherwise with an `InputTransportStartAudioStreamingFrame`. Default true. */
  readonly audioInStreamOnStart?: boolean | undefined;
  /** Whether the bot is heard. Default false. */
  readonly audioOutEnabled?: boolean | undefined;
  /** In hertz. Default: the task's, 24 000. */
  readonly audioOutSampleRate?: number | undefined;
  /** Default 1. */
  readonly audioOutChannels?: number | undefined;
  /** How much is written at once, in units of 10 ms. Default 4. */
  readonly audioOut10msChunks?: number | undefined;
  /** What is mixed into the bot's sound: for the default destination, or for each. Default: nothing. */
  readonly audioOutMixer?: AudioMixer | AudioMixers | undefined;
  /** Further tracks of sound, beside the default one: values of a frame's `transportDestination`. Default none. */
  readonly audioOutDestinations?: readonly string[] | undefined;
  /** Silence after the last sound of an EndFrame, in milliseconds. Default 0. */
  readonly endSilenceMs?: number | undefined;
  /** From one telephone key to the next one that the bot presses, in milliseconds. Default 100. */
  readonly dtmfIntervalMs?: number | undefined;
  /** Whether participants are seen. Default false. */
  readonly videoInEnabled?: boolean | undefined;
  /** Pictures in a second of each track, at most; always the newest. Default 1. */
  readonly videoInFramerate?: number | undefined;
  /** Whether the bot is seen. Default false. */
  readonly videoOutEnabled?: boolean | undefined;
  /** Whether pictures are shown once, as a film; otherwise the last one is shown again and again. Default false. */
  readonly videoOutIsLive?: boolean | undefined;
  /** In pixels. Default 1024. */
  readonly videoOutWidth?: number | undefined;
  /** In pixels. Default 768. */
  readonly videoOutHeight?: number | undefined;
  /** Pictures in a second. Default 30. */
  readonly videoOutFramerate?: number | undefined;
  /** Further tracks of pictures, as `audioOutDestinations`. Default none. */
  readonly videoOutDestinations?: readonly string[] | undefined;
}

/** What has no default: what the task decides, and what there need not be. */
type Open = 'audioInSampleRate' | 'audioOutSampleRate';

/** {@link TransportParams} with the defaults filled in; rates that the task decides stay open. */
export type FilledTransportParams = {
  readonly [Name in keyof TransportParams]-?: Name extends Open
    ? TransportParams[Name]
    : Name extends 'audioOutMixer'
      ? AudioMixers
      : Exclude<TransportParams[Name], undefined>;
};

/**
 * @throws {InvalidOptionError} A value can never work, or a name is not known.
 * @see Pipecat `transports/base_transport.py`, `TransportParams`; there the end silence is 2 s.
 */
export function filledParams(params: TransportParams = {}): FilledTransportParams {
  if (typeof params !== 'object' || params === null)
    throw new InvalidOptionError('params', 'an object', params);
  const filled = withDefaults(params);
  checkNames(params, Object.keys(filled));
  return filled;
}

function withDefaults(params: TransportParams): FilledTransportParams {
  const audioOutDestinations = checkedNames('audioOutDestinations', params.audioOutDestinations);
  return {
    company: checkedCompany('company', params.company),
    audioInEnabled: checkedFlag('audioInEnabled', params.audioInEnabled, false),
    audioInSources: checkedSources('audioInSources', params.audioInSources),
    audioInSampleRate: checkedRate('audioInSampleRate', params.audioInSampleRate),
    audioInChannels: checkedCount('audioInChannels', params.audioInChannels, 1),
    audioInPassthrough: checkedFlag('audioInPassthrough', params.audioInPassthrough, true),
    audioInStreamOnStart: checkedFlag('audioInStreamOnStart', params.audioInStreamOnStart, true),
    audioOutEnabled: checkedFlag('audioOutEnabled', params.audioOutEnabled, false),
    audioOutSampleRate: checkedRate('audioOutSampleRate', params.audioOutSampleRate),
    audioOutChannels: checkedCount('audioOutChannels', params.audioOutChannels, 1),
    audioOut10msChunks: checkedCount('audioOut10msChunks', params.audioOut10msChunks, 4),
    audioOutMixer: checkedMixers(params.audioOutMixer, audioOutDestinations),
    audioOutDestinations,
    endSilenceMs: checkedDuration('endSilenceMs', params.endSilenceMs, 0),
    dtmfIntervalMs: checkedDuration('dtmfIntervalMs', params.dtmfIntervalMs, 100),
    videoInEnabled: checkedFlag('videoInEnabled', params.videoInEnabled, false),
    videoInFramerate: checkedCount('videoInFramerate', params.videoInFramerate, 1),
    videoOutEnabled: checkedFlag('videoOutEnabled', params.videoOutEnabled, false),
    videoOutIsLive: checkedFlag('videoOutIsLive', params.videoOutIsLive, false),
    videoOutWidth: checkedCount('videoOutWidth', params.videoOutWidth, 1_024),
    videoOutHeight: checkedCount('videoOutHeight', params.videoOutHeight, 768),
    videoOutFramerate: checkedCount('videoOutFramerate', params.videoOutFramerate, 30),
    videoOutDestinations: checkedNames('videoOutDestinations', params.videoOutDestinations),
  };
}

function checkedFlag(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  checkBoolean(name, value);
  return value;
}

function checkedCompany(name: string, value: unknown): Company {
  if (value === undefined) return 'people';
  checkOneOf(name, value, ['people', 'everybody']);
  return value;
}

function checkedRate(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  // chunks of 10 ms must be whole samples
  checkRateHz(name, value, 100);
  return value;
}

function checkedCount(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  checkCount(name, value);
  return value;
}

function checkedDuration(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  checkDurationMs(name, value, { zero: true });
  return value;
}

function checkedNames(name: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  const isName = (item: unknown): boolean => typeof item === 'string' && item !== '';
  if (Array.isArray(value) && value.every(isName) && new Set(value).size === value.length) return [...value];
  throw new InvalidOptionError(name, 'an array of different, non-empty strings', value);
}

function checkedSources(name: string, value: unknown): readonly TrackSource[] {
  if (value === undefined) return ['microphone'];
  if (!Array.isArray(value)) throw new InvalidOptionError(name, 'an array', value);
  for (const source of value) checkOneOf(name, source, trackSources);
  return [...value];
}

function checkedMixers(
  value: TransportParams['audioOutMixer'],
  destinations: readonly string[],
): AudioMixers {
  if (value === undefined) return new Map();
  const mixers: AudioMixers = value instanceof Map ? new Map(value) : new Map([[undefined, value]]);
  for (const [destination, mixer] of mixers) {
    checkMethods('audioOutMixer', mixer, ['start', 'stop', 'processFrame', 'mix']);
    if (destination === undefined || destinations.includes(destination)) continue;
    throw new InvalidOptionError('audioOutMixer', 'for one of audioOutDestinations', destination);
  }
  return mixers;
}
