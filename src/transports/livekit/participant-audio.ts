import { type Observable, Subject } from 'rxjs';
import { UserAudioRawFrame } from '../../frames/audio.ts';
import type { Logger } from '../../logger.ts';
import type { RemoteTrack, RtcNode } from './load-rtc-node.ts';
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
  readonly #audio = new Subject<UserAudioRawFrame>();
  /** Frames of 20 ms; completes when it is closed. */
  readonly audio$: Observable<UserAudioRawFrame> = this.#audio.asObservable();

  constructor(format: AudioFormat, logger: Logger) {
    this.#format = format;
    this.#readers = new TrackReaders(logger);
  }

  /** Hears a track until it is stopped, or ends by itself. */
  listen(rtc: RtcNode, track: RemoteTrack, identity: string): void {
    if (this.#readers.has(track) || this.#audio.closed) return;
    const stream = new rtc.AudioStream(track, { ...this.#format, frameSizeMs });
    this.#readers.read(track, stream, identity, ({ data: audio, sampleRate, channels: numChannels }) => {
      if (audio.length > 0)
        this.#audio.next(new UserAudioRawFrame({ audio, sampleRate, numChannels, userId: identity }));
    });
  }

  stop(track: RemoteTrack): void {
    this.#readers.stop(track);
  }

  close(): void {
    this.#readers.stopAll();
    this.#audio.complete();
  }
}
