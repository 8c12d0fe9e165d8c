/** The parameters of transports: their defaults and checks. */

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

/** The source of a participant's track, as declared by its publisher; `unknown` where it is not. */
export type TrackSource = (typeof trackSources)[number];

/** Which media a transport carries, and how. All media are off by default. */
export interface TransportParams {
  /**
   * Which participants count as company: the `ClientConnectedFrame` waits for the first, and audio is dropped when the
   * last has left. Default `'people'`; `'everybody'` for bots that talk with bots.
   */
  readonly company?: Company | undefined;
  /** Whether participants' audio is received. Default false. */
  readonly audioInEnabled?: boolean | undefined;
  /**
   * Which of a participant's tracks are received. Each frame names its own in `transportSource`; no two tracks have the
   * same `userId` and `transportSource` at once. Default `['microphone']`.
   */
  readonly audioInSources?: readonly TrackSource[] | undefined;
  /** Sample rate of received audio, in hertz. Default: the task's, 16,000. */
  readonly audioInSampleRate?: number | undefined;
  /** Channels of received audio. Default 1. */
  readonly audioInChannels?: number | undefined;
  /** Whether received audio is pushed downstream. Default true. */
  readonly audioInPassthrough?: boolean | undefined;
  /** Whether that begins with the run; otherwise with an `InputTransportStartAudioStreamingFrame`. Default true. */
  readonly audioInStreamOnStart?: boolean | undefined;
  /** Whether the bot's audio is sent. Default false. */
  readonly audioOutEnabled?: boolean | undefined;
  /** Sample rate of sent audio, in hertz. Default: the task's, 24,000. */
  readonly audioOutSampleRate?: number | undefined;
  /** Channels of sent audio. Default 1. */
  readonly audioOutChannels?: number | undefined;
  /** Length of a chunk, in units of 10 ms. Default 4. */
  readonly audioOut10msChunks?: number | undefined;
  /** Mixes into the bot's audio: for the default destination, or one per destination. Default: none. */
  readonly audioOutMixer?: AudioMixer | AudioMixers | undefined;
  /** Audio tracks besides the default one: values of a frame's `transportDestination`. Default none. */
  readonly audioOutDestinations?: readonly string[] | undefined;
  /** Silence played after the last audio ahead of an EndFrame, in milliseconds. Default 0. */
  readonly endSilenceMs?: number | undefined;
  /** Interval between two DTMF keys that the bot sends, in milliseconds. Default 100. */
  readonly dtmfIntervalMs?: number | undefined;
  /** Whether participants' video is received. Default false. */
  readonly videoInEnabled?: boolean | undefined;
  /** Maximum images per second of each track; always the newest. Default 1. */
  readonly videoInFramerate?: number | undefined;
  /** Whether the bot's video is sent. Default false. */
  readonly videoOutEnabled?: boolean | undefined;
  /** True: each image is shown once, as a video. False: the latest is repeated. Default false. */
  readonly videoOutIsLive?: boolean | undefined;
  /** Width of the video track, in pixels. Default 1024. */
  readonly videoOutWidth?: number | undefined;
  /** Height of the video track, in pixels. Default 768. */
  readonly videoOutHeight?: number | undefined;
  /** Images per second. Default 30. */
  readonly videoOutFramerate?: number | undefined;
  /** Video tracks besides the default one, as `audioOutDestinations`. Default none. */
  readonly videoOutDestinations?: readonly string[] | undefined;
}

/** Parameters that default to the task's. */
type TaskDefault = 'audioInSampleRate' | 'audioOutSampleRate';

/** {@link TransportParams} with the defaults filled in; sample rates may be `undefined` until `setup()`. */
export type ResolvedTransportParams = {
  readonly [Name in keyof TransportParams]-?: Name extends TaskDefault
    ? TransportParams[Name]
    : Name extends 'audioOutMixer'
      ? AudioMixers
      : Exclude<TransportParams[Name], undefined>;
};

/**
 * Checks the parameters and fills in the defaults.
 *
 * @throws {InvalidOptionError} A value is invalid, or a name is unknown.
 * @see Pipecat `transports/base_transport.py`, `TransportParams`; there the end silence is 2 s.
 */
export function resolveParams(params: TransportParams = {}): ResolvedTransportParams {
  if (typeof params !== 'object' || params === null)
    throw new InvalidOptionError('params', 'an object', params);
  const filled = withDefaults(params);
  checkNames(params, Object.keys(filled));
  return filled;
}

function withDefaults(params: TransportParams): ResolvedTransportParams {
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
  // 10 ms must be a whole number of samples
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
