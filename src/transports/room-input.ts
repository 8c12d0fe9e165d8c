import { InputDTMFFrame, isKeypadEntry } from '../frames/dtmf.ts';
import { InputTransportMessageFrame } from '../frames/messages.ts';
import {
  BotConnectedFrame,
  ClientConnectedFrame,
  ParticipantJoinedFrame,
  ParticipantLeftFrame,
} from '../frames/participants.ts';
import { BaseInputTransport } from './base-input.ts';
import { parseMessage } from './messages.ts';

/** What happens in a room and becomes a frame. */
export type RoomInputEvent =
  | { readonly type: 'participantJoined' | 'participantLeft'; readonly identity: string }
  | { readonly type: 'dataReceived'; readonly data: Uint8Array; readonly identity: string | undefined }
  | { readonly type: 'dtmfReceived'; readonly digit: string };

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

/** The input of a room: who comes and goes, what they send, and the keys they press, as frames. */
export abstract class RoomInputTransport extends BaseInputTransport {
  #inRoom = 0;

  /** The bot has begun, and is connected; these were there before. */
  protected announce(identities: Iterable<string>): void {
    this.push(new BotConnectedFrame());
    this.#inRoom = 0;
    for (const identity of identities) this.#joined(identity);
  }

  /** JSON objects become messages, and keys of the usual keypad keys; nothing else does. */
  protected happened(event: RoomInputEvent): void {
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
      default:
        if (isKeypadEntry(event.digit)) this.push(new InputDTMFFrame(event.digit));
    }
  }

  #joined(identity: string): void {
    this.#inRoom += 1;
    this.push(new ParticipantJoinedFrame(identity));
    if (this.#inRoom === 1) this.push(new ClientConnectedFrame());
  }
}
