import { describe, expect, it } from 'vitest';
import type { UserAudioRawFrame } from '../../../src/frames/audio.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { ParticipantAudio } from '../../../src/transports/livekit/participant-media.ts';
import type { RemoteTrack, RtcNode } from '../../../src/transports/livekit/rtc-node.ts';
import type { TrackSource } from '../../../src/transports/transport-params.ts';

/** A track without a server; what is said on it is read in the next turn of the event loop. */
class Track {
  stream: ReadableStreamDefaultController | undefined;

  async says(...samples: number[]): Promise<void> {
    this.stream?.enqueue({ data: Int16Array.from(samples), sampleRate: 16_000, channels: 1 });
    await new Promise<void>((done) => setImmediate(done));
  }
}

function AudioStream(track: Track): ReadableStream {
  return new ReadableStream({
    start: (controller) => {
      track.stream = controller;
    },
  });
}

const rtc = { AudioStream } as unknown as RtcNode;

function setup() {
  const audio = new ParticipantAudio({ sampleRate: 16_000, numChannels: 1 }, silentLogger);
  const frames: UserAudioRawFrame[] = [];
  audio.audio$.subscribe((frame) => frames.push(frame));
  const listen = (identity: string, source: TrackSource): Track => {
    const track = new Track();
    audio.read(rtc, track as unknown as RemoteTrack, { identity, source });
    return track;
  };
  const stop = (track: Track): void => audio.stop(track as unknown as RemoteTrack);
  const heard = (): string[] =>
    frames.map(({ userId, transportSource, audio: [sample] }) => `${userId} ${transportSource} ${sample}`);
  return { listen, stop, heard };
}

describe('ParticipantAudio', () => {
  it('names whose voice it is, and of which source', async () => {
    const { listen, heard } = setup();
    const [voice, screen, bob] = [
      listen('ada', 'microphone'),
      listen('ada', 'screen-share'),
      listen('bob', 'microphone'),
    ];
    await voice.says(1);
    await screen.says(2);
    await bob.says(3);
    await voice.says(4);
    expect(heard()).toEqual([
      'ada microphone 1',
      'ada screen-share 2',
      'bob microphone 3',
      'ada microphone 4',
    ]);
  });

  it('tells two microphones of one participant apart', async () => {
    const { listen, stop, heard } = setup();
    const [first, second] = [listen('ada', 'microphone'), listen('ada', 'microphone')];
    await first.says(1);
    await second.says(2);
    stop(first);
    const third = listen('ada', 'microphone');
    await third.says(3);
    await second.says(4);
    expect(heard()).toEqual([
      'ada microphone 1',
      'ada microphone-2 2',
      'ada microphone 3',
      'ada microphone-2 4',
    ]);
  });
});
