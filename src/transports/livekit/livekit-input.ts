/** The input of a LiveKit transport. */

import { filter, Subscription } from 'rxjs';
import type { Frame, FrameDirection } from '../../frames/frame.ts';
import { UserImageRawFrame, UserImageRequestFrame } from '../../frames/images.ts';
import type { FrameProcessorSetup } from '../../processors/frame-processor-setup.ts';
import { isRoomInputEvent, RoomInputTransport } from '../room-transport.ts';
import type { ResolvedTransportParams } from '../transport-params.ts';
import type { ParticipantImage } from './participant-media.ts';
import type { RoomSession } from './room-session.ts';

/** Gives input and output of a transport the session they share. */
export interface SessionAccess {
  /** The session of this run; joined by the first to connect. */
  enter(setup: FrameProcessorSetup): RoomSession;
}

/**
 * Pushes the room's events as frames: each participant's audio and images with their identity, participants joining
 * and leaving, messages and DTMF keys.
 *
 * Frames in: a {@link UserImageRequestFrame} is answered with the latest image, with `videoInEnabled`.
 *
 * The StartFrame is followed by a BotConnectedFrame, and by frames for the participants present.
 */
export class LiveKitInputTransport extends RoomInputTransport {
  readonly #access: SessionAccess;
  #session: RoomSession | undefined;
  #subscription = new Subscription();
  #hasWarned = false;

  constructor(access: SessionAccess, params: ResolvedTransportParams) {
    super(params);
    this.#access = access;
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    // without a room the run fails; it reports the reason
    await this.#enter(setup).catch((error) => setup.fail(error));
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    const isRequest = frame instanceof UserImageRequestFrame;
    if (isRequest && this.params.videoInEnabled) {
      this.#answer(frame);
      return;
    }
    if (isRequest) this.#warnOfNoVideo();
    super.process(frame, direction);
  }

  protected override started(): void {
    this.onConnected(this.#session?.participants ?? []);
  }

  protected override async leave(): Promise<void> {
    this.#subscription.unsubscribe();
    await this.#session?.disconnect(this);
  }

  async #enter(setup: FrameProcessorSetup): Promise<void> {
    this.#subscription.unsubscribe();
    const session = this.#access.enter(setup);
    this.#session = session;
    this.#subscription = session.events$
      .pipe(filter(isRoomInputEvent))
      .subscribe((event) => this.onRoomEvent(event));
    if (this.params.audioInEnabled) {
      const format = { sampleRate: this.sampleRate, numChannels: this.params.audioInChannels };
      const audio$ = session.subscriptions.subscribeAudio(format, this.params.audioInSources);
      this.#subscription.add(audio$.subscribe((frame) => this.pushAudioFrame(frame)));
    }
    if (this.params.videoInEnabled) {
      const image$ = session.subscriptions.subscribeVideo(this.params.videoInFramerate);
      this.#subscription.add(image$.subscribe((image) => this.#pushImage(image)));
    }
    await session.connect(this);
  }

  #pushImage(image: ParticipantImage): void {
    if (!this.isOpen) return;
    const frame = new UserImageRawFrame(image);
    frame.transportSource = image.source;
    this.push(frame);
  }

  #warnOfNoVideo(): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const fields = { processor: this.name, hint: 'params: { videoInEnabled: true }' };
    this.logger.warn(fields, 'an image was requested and there is none, as videoInEnabled is off');
  }

  /** Without an image of that participant the request is dropped. */
  #answer(request: UserImageRequestFrame): void {
    const { userId, videoSource, text, appendToContext } = request;
    const image = this.#session?.subscriptions.latestImage(userId, videoSource);
    if (image !== undefined) this.#pushImage({ ...image, text, appendToContext, request });
  }
}
