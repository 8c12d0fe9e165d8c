import { withTimeout } from '../../lib/timeout.ts';
import type { LocalTrack, LocalTrackPublication, Room, TrackPublishOptions } from './load-rtc-node.ts';

/** How long publishing may take: the SDK hears nothing when the token does not allow it. */
const publishLimitMs = 5_000;

/** Another attempt would wait for this one: the SDK publishes one track after the other. */
export class NotPublishedInTime extends Error {
  constructor() {
    super(
      `The bot's track was not published within ${publishLimitMs} ms; does its token allow it to publish?`,
    );
  }
}

/** @throws {Error} What LiveKit says why it was not published; the track is closed then. */
export async function publishTrack(
  room: Room,
  track: LocalTrack,
  options: TrackPublishOptions,
): Promise<LocalTrackPublication> {
  try {
    if (room.localParticipant === undefined) throw new Error('the room was left');
    const publishing = room.localParticipant.publishTrack(track, options);
    if ((await withTimeout(publishing, publishLimitMs)) === 'timeout') throw new NotPublishedInTime();
    return await publishing;
  } catch (error) {
    await track.close();
    throw error;
  }
}

/** Takes a track out of the room. */
export async function unpublishTrack(room: Room, { sid }: LocalTrackPublication): Promise<void> {
  if (sid !== undefined) await room.localParticipant?.unpublishTrack(sid);
}
