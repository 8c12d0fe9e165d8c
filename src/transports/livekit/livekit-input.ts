import { Subscription } from 'rxjs';
import { InputDTMFFrame, isKeypadEntry } from '../../frames/dtmf.ts';
import type { Frame, FrameDirection } from '../../frames/frame.ts';
import { type UserImage, UserImageRawFrame, UserImageRequestFrame } from '../../frames/images.ts';
import { InputTransportMessageFrame } from '../../frames/messages.ts';
import {
  BotConnectedFrame,
  ClientConnectedFrame,
  ParticipantJoinedFrame,
  ParticipantLeftFrame,
} from '../../frames/participants.ts';
import type { FrameProcessorSetup } from '../../processors/frame-processor-setup.ts';
import { BaseInputTransport } from '../base-input.ts';
import type { FilledTransportParams } from '../transport-params.ts';
import type { LiveKitRoom } from './livekit-room.ts';
import { parseMessage } from './messages.ts';
import type { LiveKitRoomEvent } from './room-events.ts';

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
export class LiveKitInputTransport extends BaseInputTransport {
  readonly #access: RoomAccess;
  #room: LiveKitRoom | undefined;
  #subscription = new Subscription();
  #inRoom = 0;

  constructor(access: RoomAccess, params: FilledTransportParams) {
    super(params);
    this.#access = access;
  }

  override async setup(setup: FrameProcessorSetup): Promise<void> {
    await super.setup(setup);
    await this.#enter(setup).catch((error) => {
      // without the room the run is pointless
      setup.fail(error);
      throw error;
    });
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof UserImageRequestFrame && this.params.videoInEnabled) this.#answer(frame);
    else super.process(frame, direction);
  }

  protected override started(): void {
    this.push(new BotConnectedFrame());
    this.#inRoom = 0;
    for (const { identity } of this.#room?.participants ?? []) this.#joined(identity);
  }

  protected override async leave(): Promise<void> {
    this.#subscription.unsubscribe();
    await this.#room?.disconnect(this);
  }

  async #enter(setup: FrameProcessorSetup): Promise<void> {
    this.#subscription.unsubscribe();
    const room = this.#access.enter(setup);
    this.#room = room;
    this.#subscription = room.events$.subscribe((event) => this.#on(event));
    if (this.params.audioInEnabled) {
      const format = { sampleRate: this.sampleRate, numChannels: this.params.audioInChannels };
      this.#subscription.add(room.reception.hear(format).subscribe((frame) => this.pushAudioFrame(frame)));
    }
    if (this.params.videoInEnabled) {
      const images$ = room.reception.see(this.params.videoInFramerate);
      this.#subscription.add(images$.subscribe((image) => this.#show(image)));
    }
    await room.connect(this);
  }

  #on(event: LiveKitRoomEvent): void {
    if (!this.isOpen) return;
    switch (event.type) {
      case 'participantJoined':
        this.#joined(event.identity);
        break;
      case 'participantLeft':
        this.#inRoom -= 1;
        this.push(new ParticipantLeftFrame(event.identity));
        break;
      case 'dataReceived': {
        const message = parseMessage(event.data);
        if (message !== undefined) this.broadcast(InputTransportMessageFrame, message, event.identity);
        break;
      }
      case 'dtmfReceived':
        if (isKeypadEntry(event.digit)) this.push(new InputDTMFFrame(event.digit));
        break;
      default:
    }
  }

  #show(image: UserImage): void {
    if (this.isOpen) this.push(new UserImageRawFrame(image));
  }

  /** With what is seen now; of somebody who is not seen there is no answer. */
  #answer(request: UserImageRequestFrame): void {
    const { userId, videoSource, text, appendToContext } = request;
    const image = this.#room?.reception.look(userId, videoSource);
    if (image !== undefined) this.#show({ ...image, text, appendToContext, request });
  }

  #joined(identity: string): void {
    this.#inRoom += 1;
    this.push(new ParticipantJoinedFrame(identity));
    if (this.#inRoom === 1) this.push(new ClientConnectedFrame());
  }
}
