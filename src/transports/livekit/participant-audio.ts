import { type Observable, Subject } from 'rxjs';
import { UserAudioRawFrame } from '../../frames/audio.ts';
import type { Logger } from '../../logger.ts';
import type { RemoteTrack, RtcNode } from './load-rtc-node.ts';

/** How sound is wanted. */
export interface AudioFormat {
  readonly sampleRate: number;
  readonly numChannels: number;
}

interface Reader {
  cancel(): Promise<void>;
}

const frameSizeMs = 20;

/** The sound of all participants, each in frames of its own; one stream per track, at the wanted rate. */
export class ParticipantAudio {
  readonly #format: AudioFormat;
  readonly #logger: Logger;
  readonly #readers = new Map<RemoteTrack, Reader>();
  readonly #audio = new Subject<UserAudioRawFrame>();
  /** Frames of 20 ms; completes when it is closed. */
  readonly audio$: Observable<UserAudioRawFrame> = this.#audio.asObservable();

  constructor(format: AudioFormat, logger: Logger) {
    this.#format = format;
    this.#logger = logger;
  }

  /** Hears a track until it is stopped, or ends by itself. */
  listen(rtc: RtcNode, track: RemoteTrack, identity: string): void {
    if (track.kind !== rtc.TrackKind.KIND_AUDIO || this.#readers.has(track) || this.#audio.closed) return;
    const reader = new rtc.AudioStream(track, { ...this.#format, frameSizeMs }).getReader();
    this.#readers.set(track, reader);
    const read = async (): Promise<void> => {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        const { data: audio, sampleRate, channels: numChannels } = next.value;
        if (audio.length > 0)
          this.#audio.next(new UserAudioRawFrame({ audio, sampleRate, numChannels, userId: identity }));
      }
    };
    read()
      .catch((error) => this.#logger.warn({ identity, error }, 'a participant is not heard any more'))
      .finally(() => this.#readers.delete(track));
  }

  stop(track: RemoteTrack): void {
    const reader = this.#readers.get(track);
    this.#readers.delete(track);
    void reader?.cancel();
  }

  close(): void {
    for (const track of [...this.#readers.keys()]) this.stop(track);
    this.#audio.complete();
  }
}
