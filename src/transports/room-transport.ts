/** Input and output base classes for media servers that have rooms with participants. */

import { InputDTMFFrame, isKeypadEntry } from '../frames/dtmf.ts';
import { InputTransportMessageFrame } from '../frames/messages.ts';
import {
  BotConnectedFrame,
  ClientConnectedFrame,
  isCompany,
  ParticipantJoinedFrame,
  type ParticipantKind,
  ParticipantLeftFrame,
} from '../frames/participants.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { BaseInputTransport } from './base-input.ts';
import { BaseOutputTransport } from './base-output.ts';
import { parseMessage } from './messages.ts';

/** A participant other than the bot. */
export interface Participant {
  /** The participant's identity in the room. */
  readonly identity: string;
  /** The participant's kind. */
  readonly kind: ParticipantKind;
}

/** A participant has joined or left. */
export interface ParticipantEvent extends Participant {
  /** The type of the event. */
  readonly type: 'participantJoined' | 'participantLeft';
}

/** The events of a room that become frames. */
export type RoomInputEvent =
  | ParticipantEvent
  | { readonly type: 'dataReceived'; readonly data: Uint8Array; readonly identity: string | undefined }
  | { readonly type: 'dtmfReceived'; readonly digit: string; readonly identity: string | undefined };

const types: ReadonlySet<string> = new Set<RoomInputEvent['type']>([
  'participantJoined',
  'participantLeft',
  'dataReceived',
  'dtmfReceived',
]);

/** Narrows a room's events to those that {@link RoomInputTransport.onRoomEvent} takes. */
export function isRoomInputEvent<Event extends { readonly type: string }>(
  event: Event,
): event is Extract<Event, { readonly type: RoomInputEvent['type'] }> {
  return types.has(event.type);
}

/** Narrows a room's events to those that {@link RoomOutputTransport.onRoomEvent} takes. */
export function isParticipantEvent<Event extends { readonly type: string }>(
  event: Event,
): event is Extract<Event, ParticipantEvent> {
  return event.type === 'participantJoined' || event.type === 'participantLeft';
}

/** Pushes a room's participants, messages and DTMF keys as frames. */
export abstract class RoomInputTransport extends BaseInputTransport {
  readonly #company = new Set<string>();

  /** To be called when the run has started and the bot is connected, with the participants present. */
  protected onConnected(participants: Iterable<Participant>): void {
    this.push(new BotConnectedFrame());
    this.#company.clear();
    for (const participant of participants) this.#joined(participant);
  }

  /** To be called for each event. Data that is no JSON object and keys beyond a usual keypad are ignored. */
  protected onRoomEvent(event: RoomInputEvent): void {
    if (!this.isOpen) return;
    switch (event.type) {
      case 'participantJoined':
        this.#joined(event);
        break;
      case 'participantLeft':
        this.#company.delete(event.identity);
        this.push(new ParticipantLeftFrame(event.identity, event.kind));
        break;
      case 'dataReceived': {
        const message = parseMessage(event.data);
        if (message !== undefined) this.broadcast(InputTransportMessageFrame, message, event.identity);
        break;
      }
      default:
        if (isKeypadEntry(event.digit)) this.push(new InputDTMFFrame(event.digit, event.identity));
    }
  }

  #joined({ identity, kind }: Participant): void {
    this.push(new ParticipantJoinedFrame(identity, kind));
    if (!isCompany(kind, this.params.company) || this.#company.has(identity)) return;
    this.#company.add(identity);
    if (this.#company.size === 1) this.push(new ClientConnectedFrame());
  }
}

/**
 * Plays nothing once the last participant that counts as `params.company` has left, until one joins. Plays into a room
 * that has been empty so far: the media server may announce participants late.
 */
export abstract class RoomOutputTransport extends BaseOutputTransport {
  readonly #company = new Set<string>();

  override setup(setup: FrameProcessorSetup): void | Promise<void> {
    this.#company.clear();
    return super.setup(setup);
  }

  /** To be called after `setup()`, with the participants present. */
  protected onConnected(participants: Iterable<Participant>): void {
    for (const participant of participants) this.#joined(participant);
  }

  /** To be called for each event. */
  protected onRoomEvent(event: ParticipantEvent): void {
    if (event.type === 'participantJoined') this.#joined(event);
    else if (this.#company.delete(event.identity) && this.#company.size === 0) this.setHasListeners(false);
  }

  #joined({ identity, kind }: Participant): void {
    if (!isCompany(kind, this.params.company)) return;
    this.#company.add(identity);
    this.setHasListeners(true);
  }
}
