// biome-ignore lint/suspicious/noTsIgnore: it is an error in some projects only, and must be in the declarations
/** @ts-ignore: where the package is not installed, its types are `any` and no error */
import type * as sdk from '@livekit/rtc-node';
import { errorMessage, MissingDependencyError } from '../../lib/errors.ts';
import { importNative } from '../../lib/import-native.ts';
import { withTimeout } from '../../lib/timeout.ts';

export type AudioResampler = sdk.AudioResampler;
export type AudioSource = sdk.AudioSource;
export type LocalAudioTrack = sdk.LocalAudioTrack;
export type LocalParticipant = sdk.LocalParticipant;
export type LocalTrack = sdk.LocalTrack;
export type LocalTrackPublication = sdk.LocalTrackPublication;
export type LocalVideoTrack = sdk.LocalVideoTrack;
export type RemoteParticipant = sdk.RemoteParticipant;
export type RemoteTrack = sdk.RemoteTrack;
export type RemoteTrackPublication = sdk.RemoteTrackPublication;
export type Room = sdk.Room;
export type TrackPublishOptions = sdk.TrackPublishOptions;
export type VideoFrame = sdk.VideoFrame;
export type VideoSource = sdk.VideoSource;

/** LiveKit's native SDK. */
export type RtcNode = typeof sdk;

/** One user's hold on the SDK. */
export interface RtcHold {
  readonly rtc: RtcNode;
  /** Makes a call that leaves listeners on the SDK's client, and remembers them as ours. */
  call<T>(start: () => Promise<T>): RtcCall<T>;
  /** Mutes a track of ours, or unmutes it, for others to see. The SDK can do it, and offers no method for it. */
  mute(track: LocalTrack, muted: boolean): void;
  /** Lets go; the last one to do so shuts the native part down. A second call does nothing. */
  release(): Promise<void>;
}

export interface RtcCall<T> {
  readonly result: Promise<T>;
  /** Takes away the listeners that the call has put on the client. */
  forget(): void;
}

type Listener = (...args: unknown[]) => void;

/** What the SDK keeps in a global variable: its one connection to the native part. */
interface FfiClient {
  listeners(event: 'ffi_event'): Listener[];
  off(event: 'ffi_event', listener: Listener): void;
  request(request: {
    readonly message: { readonly case: 'localTrackMute'; readonly value: object };
  }): unknown;
}

const globals = globalThis as unknown as { _ffiClientInstance?: FfiClient | undefined };
/** Shutting down takes under a millisecond; this is for the day it does not. */
const disposeLimitMs = 400;

/**
 * The native SDK of this process, loaded when first needed.
 *
 * It keeps a process alive until it is shut down (`dispose`), and is of no use after that unless its client is
 * made anew. So it is shut down when nobody here holds it and nobody else in the process listens to it.
 */
class SharedRtcNode {
  #holds = 0;
  readonly #ours = new WeakSet<Listener>();
  #disposing: Promise<unknown> = Promise.resolve();

  /** @throws {MissingDependencyError} It is not installed, or has no build for this machine. */
  async acquire(): Promise<RtcHold> {
    this.#holds += 1;
    try {
      await this.#disposing;
      return this.#hold(await loadRtcNode());
    } catch (error) {
      this.#holds -= 1;
      throw error;
    }
  }

  #hold(rtc: RtcNode): RtcHold {
    let released: Promise<void> | undefined;
    return {
      rtc,
      call: (start) => this.#call(start),
      mute: ({ ffi_handle: { handle } }, mute) => {
        const message = { case: 'localTrackMute', value: { trackHandle: handle, mute } } as const;
        globals._ffiClientInstance?.request({ message });
      },
      release: () => {
        released ??= this.#release(rtc);
        return released;
      },
    };
  }

  #call<T>(start: () => Promise<T>): RtcCall<T> {
    const before = new Set(listeners());
    const result = start();
    const added = listeners().filter((listener) => !before.has(listener));
    for (const listener of added) this.#ours.add(listener);
    const client = globals._ffiClientInstance;
    const forget = (): void => {
      for (const listener of added) client?.off('ffi_event', listener);
    };
    return { result, forget };
  }

  async #release(rtc: RtcNode): Promise<void> {
    this.#holds -= 1;
    if (this.#holds > 0 || listeners().some((listener) => !this.#ours.has(listener))) return;
    // the SDK makes a new client, and with it starts the native part again, only when this is unset
    globals._ffiClientInstance = undefined;
    this.#disposing = withTimeout(rtc.dispose(), disposeLimitMs);
    await this.#disposing;
  }
}

/** The one of this process, as the native part is. */
export const rtcNode: SharedRtcNode = new SharedRtcNode();

function listeners(): Listener[] {
  return globals._ffiClientInstance?.listeners('ffi_event') ?? [];
}

/**
 * Only loads it: the native part starts with its first use.
 *
 * @throws {MissingDependencyError} It is not installed, or has no build for this machine.
 */
export async function loadRtcNode(): Promise<RtcNode> {
  try {
    return await importNative('@livekit/rtc-node');
  } catch (cause) {
    const howToGetIt = 'Install it with: npm install @livekit/rtc-node';
    // of one that is simply not there, the cause would say the same at length
    const isAbsent = /Cannot find (package|module) '@livekit\/rtc-node'/.test(errorMessage(cause));
    throw new MissingDependencyError('@livekit/rtc-node', howToGetIt, isAbsent ? {} : { cause });
  }
}
