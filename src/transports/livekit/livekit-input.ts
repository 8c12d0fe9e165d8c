import { filter, Subscription } from 'rxjs';
import type { Frame, FrameDirection } from '../../frames/frame.ts';
import { UserImageRawFrame, UserImageRequestFrame } from '../../frames/images.ts';
import type { FrameProcessorSetup } from '../../processors/frame-processor-setup.ts';
import { isRoomInputEvent, RoomInputTransport } from '../room-input.ts';
import type { FilledTransportParams } from '../transport-params.ts';
import type { LiveKitRoom } from './livekit-room.ts';
import type { ParticipantImage } from './participant-video.ts';

/** How the two ends of a transport reach the room they share. */
export interface RoomAccess {
  /** The room of this run; joined by whoever connects first. */
  enter(setup: FrameProcessorSetup): LiveKitRoom;
}

/**
 * What happens in the room, as frames: the sound and the pictures of each participant with their identity, who comes
 * and goes, messages and keys.
 *
 * Frames in: a {@link UserImageRequestFrame} is answered with the newest picture, where participants are seen.
 *
 * The StartFrame is followed by a BotConnectedFrame, and by frames for those who were there before.
 */
export class LiveKitInputTransport extends RoomInputTransport {
  readonly #access: RoomAccess;
  #room: LiveKitRoom | undefined;
  #subscription = new Subscription();
  #hasWarned = false;

  constructor(access: RoomAccess, params: FilledTransportParams) {
    super(params);
    this.#access = access;
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    // without the room the run is pointless; the run says why, and one line is enough
    await this.#enter(setup).catch((error) => setup.fail(error));
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    const isRequest = frame instanceof UserImageRequestFrame;
    if (isRequest && this.params.videoInEnabled) {
      this.#answer(frame);
      return;
    }
    if (isRequest) this.#warnOfNoPictures();
    super.process(frame, direction);
  }

  protected override started(): void {
    this.announce(this.#room?.participants ?? []);
  }

  protected override async leave(): Promise<void> {
    this.#subscription.unsubscribe();
    await this.#room?.disconnect(this);
  }

  async #enter(setup: FrameProcessorSetup): Promise<void> {
    this.#subscription.unsubscribe();
    const room = this.#access.enter(setup);
    this.#room = room;
    this.#subscription = room.events$
      .pipe(filter(isRoomInputEvent))
      .subscribe((event) => this.happened(event));
    if (this.params.audioInEnabled) {
      const format = { sampleRate: this.sampleRate, numChannels: this.params.audioInChannels };
      const audio$ = room.reception.hear(format, this.params.audioInSources);
      this.#subscription.add(audio$.subscribe((frame) => this.pushAudioFrame(frame)));
    }
    if (this.params.videoInEnabled) {
      const images$ = room.reception.see(this.params.videoInFramerate);
      this.#subscription.add(images$.subscribe((image) => this.#show(image)));
    }
    await room.connect(this);
  }

  #show(image: ParticipantImage): void {
    if (!this.isOpen) return;
    const frame = new UserImageRawFrame(image);
    frame.transportSource = image.source;
    this.push(frame);
  }

  #warnOfNoPictures(): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const fields = { processor: this.name, hint: 'params: { videoInEnabled: true }' };
    this.logger.warn(fields, 'a picture was asked for and there is none, as videoInEnabled is off');
  }

  /** With what is seen now; of somebody who is not seen there is no answer. */
  #answer(request: UserImageRequestFrame): void {
    const { userId, videoSource, text, appendToContext } = request;
    const image = this.#room?.reception.look(userId, videoSource);
    if (image !== undefined) this.#show({ ...image, text, appendToContext, request });
  }
}
