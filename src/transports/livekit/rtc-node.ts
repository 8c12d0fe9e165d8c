/** LiveKit's native SDK: loaded when needed, reference-counted, and extended by what it lacks. */

// biome-ignore lint/suspicious/noTsIgnore: it is an error in some projects only, and must be in the declarations
/** @ts-ignore: where the package is not installed, its types are `any` and no error */
import type * as sdk from '@livekit/rtc-node';
import { checkResampling, type StreamResampler } from '../../audio/resampler.ts';
import { errorMessage, MissingDependencyError } from '../../lib/errors.ts';
import { importNative } from '../../lib/import-native.ts';
import { withTimeout } from '../../lib/timeout.ts';

/* The SDK's types. */
/** A source of audio. */
export type AudioSource = sdk.AudioSource;
/** A local audio track. */
export type LocalAudioTrack = sdk.LocalAudioTrack;
/** The bot's participant. */
export type LocalParticipant = sdk.LocalParticipant;
/** A local track. */
export type LocalTrack = sdk.LocalTrack;
/** The publication of a local track. */
export type LocalTrackPublication = sdk.LocalTrackPublication;
/** A local video track. */
export type LocalVideoTrack = sdk.LocalVideoTrack;
/** Another participant. */
export type RemoteParticipant = sdk.RemoteParticipant;
/** A track of another participant. */
export type RemoteTrack = sdk.RemoteTrack;
/** The publication of a remote track. */
export type RemoteTrackPublication = sdk.RemoteTrackPublication;
/** The SDK's room. */
export type Room = sdk.Room;
/** Options of a publication. */
export type TrackPublishOptions = sdk.TrackPublishOptions;
/** One image. */
export type VideoFrame = sdk.VideoFrame;
/** A source of video. */
export type VideoSource = sdk.VideoSource;

/** The module `@livekit/rtc-node`. */
export type RtcNode = typeof sdk;

/** One reference to the SDK. */
export interface RtcHandle {
  /** The module `@livekit/rtc-node`. */
  readonly rtc: RtcNode;
  /** Makes a call that leaves listeners on the SDK's client, and records them as ours. */
  call<T>(start: () => Promise<T>): RtcCall<T>;
  /** Mutes or unmutes a local track, visibly to others; the SDK implements this without a public method. */
  mute(track: LocalTrack, muted: boolean): void;
  /** Drops the reference; the last one shuts the native part down. Idempotent. */
  release(): Promise<void>;
}

/** A call of the SDK under way. */
export interface RtcCall<T> {
  /** Settles with the call's result. */
  readonly result: Promise<T>;
  /** Removes the listeners that the call has left on the client. */
  removeListeners(): void;
}

type Listener = (...args: unknown[]) => void;

/** The SDK's client, which it keeps in a global variable: its one connection to the native part. */
interface FfiClient {
  listeners(event: 'ffi_event'): Listener[];
  off(event: 'ffi_event', listener: Listener): void;
  request(request: {
    readonly message: { readonly case: 'localTrackMute'; readonly value: object };
  }): unknown;
}

const globals = globalThis as unknown as { _ffiClientInstance?: FfiClient | undefined };
/** Upper bound for the shutdown, which takes under a millisecond. */
const disposeLimitMs = 400;

/**
 * The native SDK of this process, loaded when first needed.
 *
 * It keeps the process alive until it is shut down (`dispose`), and is unusable after that unless its client is
 * created anew. So it is shut down with the last reference, where no other code in the process listens to it.
 */
class SharedRtcNode {
  #references = 0;
  readonly #ours = new WeakSet<Listener>();
  #disposing: Promise<unknown> = Promise.resolve();

  /** @throws {MissingDependencyError} It is not installed, or has no build for this machine. */
  async acquire(): Promise<RtcHandle> {
    this.#references += 1;
    try {
      await this.#disposing;
      return this.#handle(await loadRtcNode());
    } catch (error) {
      this.#references -= 1;
      throw error;
    }
  }

  #handle(rtc: RtcNode): RtcHandle {
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
    const removeListeners = (): void => {
      for (const listener of added) client?.off('ffi_event', listener);
    };
    return { result, removeListeners };
  }

  async #release(rtc: RtcNode): Promise<void> {
    this.#references -= 1;
    if (this.#references > 0 || listeners().some((listener) => !this.#ours.has(listener))) return;
    // the SDK creates a new client, which restarts the native part, only when this is unset
    globals._ffiClientInstance = undefined;
    this.#disposing = withTimeout(rtc.dispose(), disposeLimitMs);
    await this.#disposing;
  }
}

/** One per process, as the native part is. */
export const rtcNode: SharedRtcNode = new SharedRtcNode();

function listeners(): Listener[] {
  return globals._ffiClientInstance?.listeners('ffi_event') ?? [];
}

/**
 * Imports the SDK; its native part starts with the first use.
 *
 * @throws {MissingDependencyError} It is not installed, or has no build for this machine.
 */
export async function loadRtcNode(): Promise<RtcNode> {
  try {
    return await importNative('@livekit/rtc-node');
  } catch (cause) {
    const howToGetIt = 'Install it with: npm install @livekit/rtc-node';
    // for a package that is not installed the cause would only repeat the message
    const isAbsent = /Cannot find (package|module) '@livekit\/rtc-node'/.test(errorMessage(cause));
    throw new MissingDependencyError('@livekit/rtc-node', howToGetIt, isAbsent ? {} : { cause });
  }
}

/** Limit for publishing: without the permission in the token the SDK's promise never settles. */
const publishLimitMs = 5_000;

/** Not worth a retry, which would wait for this attempt: the SDK publishes one track at a time. */
export class PublishTimeoutError extends Error {
  constructor() {
    super(
      `The bot's track was not published within ${publishLimitMs} ms; does its token allow it to publish?`,
    );
  }
}

/**
 * Publishes a local track within 5 s.
 *
 * @throws {Error} LiveKit's reason, or a {@link PublishTimeoutError}; the track is closed.
 */
export async function publishTrack(
  room: Room,
  track: LocalTrack,
  options: TrackPublishOptions,
): Promise<LocalTrackPublication> {
  try {
    if (room.localParticipant === undefined) throw new Error('the room was left');
    const publishing = room.localParticipant.publishTrack(track, options);
    if ((await withTimeout(publishing, publishLimitMs)) === 'timeout') throw new PublishTimeoutError();
    return await publishing;
  } catch (error) {
    await track.close();
    throw error;
  }
}

/** Unpublishes a local track. */
export async function unpublishTrack(room: Room, { sid }: LocalTrackPublication): Promise<void> {
  if (sid !== undefined) await room.localParticipant?.unpublishTrack(sid);
}

/** The SDK's resampler; its filter holds a few milliseconds back until it is flushed. */
export class NativeResampler implements StreamResampler {
  readonly #rtc: RtcNode;
  readonly #resampler: sdk.AudioResampler;
  #closed = false;

  /** @throws {InvalidOptionError} The SDK would block or fail with these rates or channels. */
  constructor(rtc: RtcNode, fromHz: number, toHz: number, channels: number) {
    checkResampling(fromHz, toHz, channels);
    this.#rtc = rtc;
    this.#resampler = new rtc.AudioResampler(fromHz, toHz, channels);
  }

  push(samples: Int16Array): Int16Array {
    if (this.#closed || samples.length === 0) return new Int16Array(0);
    const { inputRate, channels } = this.#resampler;
    const own = ownBuffer(samples);
    const frame = new this.#rtc.AudioFrame(own, inputRate, channels, own.length / channels);
    return concat(this.#resampler.push(frame));
  }

  flush(): Int16Array {
    return this.#closed ? new Int16Array(0) : concat(this.#resampler.flush());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#resampler.close();
  }
}

function concat(frames: readonly { readonly data: Int16Array }[]): Int16Array {
  const [first] = frames;
  if (frames.length === 1 && first !== undefined) return first.data;
  const all = new Int16Array(frames.reduce((length, { data }) => length + data.length, 0));
  let at = 0;
  for (const { data } of frames) {
    all.set(data, at);
    at += data.length;
  }
  return all;
}

/** Copies a view of a larger buffer: the SDK reads from the start of the buffer, ignoring the view's offset. */
export function ownBuffer<View extends Int16Array | Uint8Array>(view: View): View {
  return view.byteLength === view.buffer.byteLength ? view : (view.slice() as View);
}
