import { describe, expect, it, vi } from 'vitest';
import { Listeners, PublishedAudio } from '../../../src/transports/livekit/published-audio.ts';
import type { Room, RtcNode } from '../../../src/transports/livekit/rtc-node.ts';
import { passes, useFakeTime } from '../../support/fake-time.ts';

const format = { sampleRate: 16_000, numChannels: 1 };
const chunk = { ...format, audio: new Int16Array(640).fill(7) };

/** A voice in a room without a server; times are milliseconds since it was published. */
async function publish(...company: readonly string[]) {
  const speechMs: number[] = [];
  const startMs = performance.now();
  const people = new Set(company);
  const listeners = new Listeners('people');
  let subscribed = (): void => {};
  const subscription = new Promise<void>((resolve) => {
    subscribed = resolve;
  });
  class AudioSource {
    readonly sampleRate = format.sampleRate;
    readonly numChannels = format.numChannels;
    clearQueue(): void {}
    async captureFrame({ data }: { data: Int16Array }): Promise<void> {
      // without the silence ahead of it
      if (data[0] !== 0) speechMs.push(performance.now() - startMs);
    }
    async waitForPlayout(): Promise<void> {}
  }
  class AudioFrame {
    readonly data: Int16Array;
    constructor(data: Int16Array) {
      this.data = data;
    }
  }
  const rtc = {
    AudioSource,
    AudioFrame,
    LocalAudioTrack: { createAudioTrack: () => ({ close: async () => {} }) },
    TrackPublishOptions: class {},
    TrackSource: {},
  } as unknown as RtcNode;
  const publishTrack = async () => ({ waitForSubscription: () => subscription });
  const remoteParticipants = {
    get size() {
      return people.size;
    },
  };
  const room = { remoteParticipants, localParticipant: { publishTrack } } as unknown as Room;
  const joins = (identity: string, kind = 'standard'): void => {
    people.add(identity);
    listeners.joined({ identity, kind });
  };
  for (const identity of company) joins(identity, identity.startsWith('recorder') ? 'egress' : 'standard');
  const voice = await PublishedAudio.publish({ rtc, room, listeners }, format, undefined);
  return {
    voice,
    speechMs,
    joins,
    leaves: (identity: string): void => {
      people.delete(identity);
      listeners.left(identity);
    },
    subscribed,
    /** How long a chunk waited, at most 10 s. */
    says: async (): Promise<number> => {
      const before = speechMs.length;
      const fromMs = performance.now() - startMs;
      void voice.write(chunk);
      await passes(0);
      for (let ms = 0; speechMs.length === before && ms < 10_000; ms += 10) await passes(10);
      return (speechMs.at(-1) ?? Number.NaN) - fromMs;
    },
  };
}

describe('PublishedAudio', () => {
  useFakeTime();

  it('waits with the first word until its only listener has subscribed', async () => {
    const { says, subscribed } = await publish('ada');
    setTimeout(subscribed, 120);
    expect(await says()).toBe(120);
  });

  it('waits a second at most for the first listener', async () => {
    const { says } = await publish('ada');
    expect(await says()).toBe(1_000);
  });

  it('gives each of several listeners half a second, as LiveKit tells of the first one only', async () => {
    const { says, subscribed } = await publish('ada', 'bob');
    setTimeout(subscribed, 120);
    expect(await says()).toBe(500);
    expect(await says()).toBe(0);
  });

  it('does not take the subscription of a recorder for that of a listener', async () => {
    const { says, subscribed } = await publish('recorder', 'ada');
    setTimeout(subscribed, 20);
    expect(await says()).toBe(500);
  });

  it('waits for a recorder that is alone with it', async () => {
    const { says, subscribed } = await publish('recorder');
    setTimeout(subscribed, 20);
    expect(await says()).toBe(20);
  });

  it('does not wait where they have had the time', async () => {
    const { says, subscribed } = await publish('ada', 'bob');
    setTimeout(subscribed, 120);
    await passes(600);
    expect(await says()).toBe(0);
  });

  it('begins its next speech when somebody who has come meanwhile can hear it', async () => {
    const { says, subscribed, joins } = await publish('ada');
    subscribed();
    await says();
    await passes(10_000);
    joins('bob');
    await passes(100);
    expect(await says()).toBe(400);
    await passes(10_000);
    expect(await says()).toBe(0);
  });

  it('does not stop in the middle of a speech for somebody who comes', async () => {
    const { says, subscribed, joins } = await publish('ada');
    subscribed();
    await says();
    await passes(40);
    joins('bob');
    expect(await says()).toBe(0);
  });

  it('waits for somebody who comes back', async () => {
    const { says, subscribed, joins, leaves } = await publish('ada');
    subscribed();
    await says();
    leaves('ada');
    await passes(10_000);
    joins('ada');
    expect(await says()).toBe(500);
  });

  it('waits for nobody where nobody is', async () => {
    const { says } = await publish();
    expect(await says()).toBe(0);
  });

  it('leaves no timer behind', async () => {
    const { says, subscribed, voice } = await publish('ada', 'bob');
    subscribed();
    await says();
    await voice.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
