/** A processor that deletes the room of its pipeline. */

import type { Observable } from 'rxjs';
import type { Frame, FrameDirection } from '../frames/frame.ts';
import { FrameProcessor } from '../processors/frame-processor.ts';
import type { FrameProcessorSetup } from '../processors/frame-processor-setup.ts';
import type { RoomDeletionOutcome } from '../rooms/delete-room.ts';
import type { DeletionTrigger } from '../rooms/delete-when.ts';
import type { RestCallOptions } from '../rooms/rest/room-rest.ts';
import { RoomDeleter, type RoomDeleterEvents } from '../rooms/room-deleter.ts';
import type { RoomDeleterOptions } from '../rooms/room-deleter-options.ts';
import { RoomCleanup } from './room-cleanup.ts';

/** Options of a {@link RoomCleanupProcessor}. */
export interface RoomCleanupProcessorOptions extends RoomDeleterOptions {
  /** Default: class name and number. */
  readonly name?: string;
}

/**
 * Deletes the LiveKit room at the end of its pipeline, which disconnects every participant. For pipelines whose
 * transport does not do it; all frames pass.
 *
 * It watches the run's lifecycle, not the frames, so its position does not matter.
 * EndFrame: once everything before it was played and the frame has come out of the pipeline. CancelFrame: at
 * once. StopFrame: not at all. Any other end of the run: at once.
 *
 * @example
 * const rest = LiveKitRESTHelper.fromEnv();
 * const cleanup = new RoomCleanupProcessor({ roomName: 'call-42', rest });
 * cleanup.on('roomDeleted', ({ status, elapsedMs }) => console.log(status, elapsedMs));
 * await new PipelineTask(new Pipeline([bot, cleanup])).run();
 *
 * @throws {InvalidOptionError} An option can never work.
 */
export class RoomCleanupProcessor extends FrameProcessor<RoomDeleterEvents> {
  readonly #deleter: RoomDeleter;
  readonly #cleanup: RoomCleanup;

  constructor({ name, ...options }: RoomCleanupProcessorOptions) {
    super(name === undefined ? {} : { name });
    this.#deleter = new RoomDeleter(options);
    this.#cleanup = new RoomCleanup(this.#deleter);
    this.#deleter.on('roomDeleted', (outcome) => this.emit('roomDeleted', outcome));
    this.#deleter.on('roomKept', (outcome) => this.emit('roomKept', outcome));
    this.#deleter.on('roomDeleteFailed', (outcome) => this.emit('roomDeleteFailed', outcome));
    this.#deleter.on('roomReappeared', (reappearance) => this.emit('roomReappeared', reappearance));
  }

  /** The name of the room. */
  get roomName(): string {
    return this.#deleter.roomName;
  }

  /** Replays its one value, then completes; never errors. */
  get outcome$(): Observable<RoomDeletionOutcome> {
    return this.#deleter.outcome$;
  }

  /** Deletes the room now, or joins the deletion under way; never rejects. */
  deleteRoom(trigger: DeletionTrigger = 'manual', options?: RestCallOptions): Promise<RoomDeletionOutcome> {
    return this.#deleter.deleteRoom(trigger, options);
  }

  /** For a bot that has a successor in its room: the room stays, and the outcome is `kept`. */
  keepRoom(reason: string): void {
    this.#deleter.keepRoom(reason);
  }

  override setup(setup: FrameProcessorSetup): void | Promise<void> {
    this.#cleanup.arm(setup);
    return super.setup(setup);
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    this.push(frame, direction);
  }
}
