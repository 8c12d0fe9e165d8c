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
import { BaseInputTransport } from './base-input.ts';
import { parseMessage } from './messages.ts';

export interface Participant {
  readonly identity: string;
  readonly kind: ParticipantKind;
}

export interface ParticipantEvent extends Participant {
  readonly type: 'participantJoined' | 'participantLeft';
}

/** What happens in a room and becomes a frame. */
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

/** Those of a room's events that {@link RoomInputTransport.happened} makes frames of. */
export function isRoomInputEvent<Event extends { readonly type: string }>(
  event: Event,
): event is Extract<Event, { readonly type: RoomInputEvent['type'] }> {
  return types.has(event.type);
}

export function isParticipantEvent<Event extends { readonly type: string }>(
  event: Event,
): event is Extract<Event, ParticipantEvent> {
  return event.type === 'participantJoined' || event.type === 'participantLeft';
}

/** The input of a room: who comes and goes, what they send, and the keys they press, as frames. */
export abstract class RoomInputTransport extends BaseInputTransport {
  readonly #company = new Set<string>();

  /** The bot has begun, and is connected; these were there before. */
  protected announce(participants: Iterable<Participant>): void {
    this.push(new BotConnectedFrame());
    this.#company.clear();
    for (const participant of participants) this.#joined(participant);
  }

  /** JSON objects become messages, and keys of the usual keypad keys; nothing else does. */
  protected happened(event: RoomInputEvent): void {
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
