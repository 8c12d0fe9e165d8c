import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Logger } from '../../../src/lib/logger.ts';
import type { RemoteTrack, Room, RtcNode } from '../../../src/transports/livekit/rtc-node.ts';
import { TrackSubscriptions } from '../../../src/transports/livekit/subscriptions.ts';

const rtc = {
  RoomEvent: {
    TrackPublished: 'trackPublished',
    TrackSubscribed: 'trackSubscribed',
    TrackUnsubscribed: 'trackUnsubscribed',
  },
  TrackKind: { KIND_AUDIO: 1, KIND_VIDEO: 2 },
  TrackSource: { SOURCE_MICROPHONE: 2 },
  AudioStream: function AudioStream() {
    return new ReadableStream();
  },
} as unknown as RtcNode;

/** A microphone of ada, in a room without a server, and the requests to subscribe that reach nobody. */
function setup() {
  const requests: boolean[] = [];
  const publication = {
    sid: 'TR_1',
    kind: 1,
    source: 2,
    track: undefined as RemoteTrack | undefined,
    setSubscribed: (subscribed: boolean) => void requests.push(subscribed),
  };
  const trackPublications = new Map([[publication.sid, publication]]);
  const ada = { identity: 'ada', trackPublications };
  const room = Object.assign(new EventEmitter(), { remoteParticipants: new Map([['ada', ada]]) });
  const warn = vi.fn();
  const logger: Logger = { debug: () => {}, info: () => {}, warn, error: () => {} };
  const subscriptions = new TrackSubscriptions(logger);
  const attached = subscriptions.attach(rtc, room as unknown as Room);
  onTestFinished(() => {
    attached.unsubscribe();
    subscriptions.close();
  });
  subscriptions.subscribeAudio({ sampleRate: 16_000, numChannels: 1 }, ['microphone']);
  const comes = (): void => {
    publication.track = {} as RemoteTrack;
    room.emit('trackSubscribed', publication.track, publication, ada);
  };
  const goes = (): void => {
    const { track } = publication;
    publication.track = undefined;
    room.emit('trackUnsubscribed', track, publication, ada);
  };
  return { subscriptions, requests, trackPublications, warn, comes, goes };
}

describe('TrackSubscriptions', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
  });

  it('requests a track once where it comes', () => {
    const { subscriptions, requests, comes } = setup();
    subscriptions.connected();
    vi.advanceTimersByTime(4_900);
    comes();
    vi.advanceTimersByTime(60_000);
    expect(requests).toEqual([true]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('requests a track again that does not come, such as after a reconnect', () => {
    const { subscriptions, requests, comes } = setup();
    subscriptions.connected();
    subscriptions.disconnected();
    expect(vi.getTimerCount()).toBe(0);
    subscriptions.connected();
    vi.advanceTimersByTime(5_500);
    expect(requests).toEqual([true, true, false, true]);
    comes();
    vi.advanceTimersByTime(60_000);
    expect(requests).toHaveLength(4);
  });

  it('requests a track again that was unsubscribed though it is wanted, but not one that was unpublished', () => {
    const { subscriptions, requests, trackPublications, comes, goes } = setup();
    subscriptions.connected();
    comes();
    goes();
    vi.advanceTimersByTime(5_500);
    expect(requests).toEqual([true, false, true]);
    comes();
    goes();
    trackPublications.clear();
    vi.advanceTimersByTime(60_000);
    expect(requests).toHaveLength(3);
  });

  it('gives up after six requests, and says so', () => {
    const { subscriptions, requests, warn } = setup();
    subscriptions.connected();
    vi.advanceTimersByTime(120_000);
    expect(requests.filter(Boolean)).toHaveLength(6);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not request the tracks of those who are muted, nor any after the close', () => {
    const { subscriptions, requests } = setup();
    subscriptions.connected();
    subscriptions.mute('ada', true);
    vi.advanceTimersByTime(60_000);
    expect(requests).toEqual([true, false]);
    subscriptions.mute('ada', false);
    subscriptions.close();
    vi.advanceTimersByTime(60_000);
    expect(requests).toEqual([true, false, true]);
  });
});
