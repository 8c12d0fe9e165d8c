import type { TrackSource } from '../transport-params.ts';
import type { RemoteTrackPublication, RtcNode } from './load-rtc-node.ts';

/** Whose track it is, and of what. */
export interface TrackOrigin {
  readonly identity: string;
  readonly source: TrackSource;
}

/** One name for the picture and the sound of a screen: it is their kind that tells them apart. */
export function sourceOf({ TrackSource }: RtcNode, { source }: RemoteTrackPublication): TrackSource {
  switch (source) {
    case TrackSource.SOURCE_MICROPHONE:
      return 'microphone';
    case TrackSource.SOURCE_CAMERA:
      return 'camera';
    case TrackSource.SOURCE_SCREENSHARE:
    case TrackSource.SOURCE_SCREENSHARE_AUDIO:
      return 'screen-share';
    default:
      return 'unknown';
  }
}
