import { type Observable, Subject } from 'rxjs';
import { UserAudioRawFrame } from '../../frames/audio.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RemoteTrack, RtcNode } from './load-rtc-node.ts';
import type { TrackOrigin } from './track-origin.ts';
import { TrackReaders } from './track-readers.ts';

/** How sound is wanted. */
export interface AudioFormat {
  readonly sampleRate: number;
  readonly numChannels: number;
}

const frameSizeMs = 20;

/** The sound of all participants, each in frames of its own; one stream per track, at the wanted rate. */
export class ParticipantAudio {
  readonly #format: AudioFormat;
  readonly #readers: TrackReaders;
  /** What each track is called in its frames. */
  readonly #names = new Map<RemoteTrack, string>();
  readonly #audio = new Subject<UserAudioRawFrame>();
  /** Frames of 20 ms; completes when it is closed. */
  readonly audio$: Observable<UserAudioRawFrame> = this.#audio.asObservable();

  constructor(format: AudioFormat, logger: Logger) {
    this.#format = format;
    this.#readers = new TrackReaders(logger);
  }

  /**
   * Hears a track until it is stopped, or ends by itself. Its frames are named by their source; a second microphone
   * of the same participant is `microphone-2`.
   */
  listen(rtc: RtcNode, track: RemoteTrack, { identity, source }: TrackOrigin): void {
    if (this.#readers.has(track) || this.#audio.closed) return;
    const stream = new rtc.AudioStream(track, { ...this.#format, frameSizeMs });
    const transportSource = this.#name(track, identity, source);
    this.#readers.read(track, stream, identity, ({ data: audio, sampleRate, channels: numChannels }) => {
      if (audio.length === 0) return;
      const frame = new UserAudioRawFrame({ audio, sampleRate, numChannels, userId: identity });
      frame.transportSource = transportSource;
      this.#audio.next(frame);
    });
  }

  stop(track: RemoteTrack): void {
    this.#readers.stop(track);
    this.#names.delete(track);
  }

  close(): void {
    this.#readers.stopAll();
    this.#names.clear();
    this.#audio.complete();
  }

  #name(track: RemoteTrack, identity: string, source: string): string {
    for (const known of this.#names.keys()) if (!this.#readers.has(known)) this.#names.delete(known);
    const taken = new Set(this.#names.values());
    let name = source;
    for (let number = 2; taken.has(`${identity} ${name}`); number += 1) name = `${source}-${number}`;
    this.#names.set(track, `${identity} ${name}`);
    return name;
  }
}
