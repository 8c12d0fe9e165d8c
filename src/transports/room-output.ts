import { isCompany } from '../frames/participants.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import { BaseOutputTransport } from './base-output.ts';
import type { Participant, ParticipantEvent } from './room-input.ts';

/**
 * The output of a room: when the last of those who count as company has left, nothing is played until somebody
 * comes. A room where nobody has been yet is played to: a media server may be late in announcing somebody.
 */
export abstract class RoomOutputTransport extends BaseOutputTransport {
  readonly #company = new Set<string>();

  override setup(setup: FrameProcessorSetup): void | Promise<void> {
    this.#company.clear();
    return super.setup(setup);
  }

  /** To be called after `setup()`, in the room: these are there. */
  protected announce(participants: Iterable<Participant>): void {
    for (const participant of participants) this.#joined(participant);
  }

  protected happened(event: ParticipantEvent): void {
    if (event.type === 'participantJoined') this.#joined(event);
    else if (this.#company.delete(event.identity) && this.#company.size === 0) this.listened(false);
  }

  #joined({ identity, kind }: Participant): void {
    if (!isCompany(kind, this.params.company)) return;
    this.#company.add(identity);
    this.listened(true);
  }
}
