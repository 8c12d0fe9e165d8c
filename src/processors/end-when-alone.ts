/** Ends the run when the bot is alone in the room. */

import { distinctUntilChanged, EMPTY, Subject, type Subscription, switchMap, timer } from 'rxjs';
import { type Frame, type FrameDirection, roleOf } from '../frames/frame.ts';
import { EndTaskFrame, isTerminalFrame } from '../frames/lifecycle.ts';
import {
  type Company,
  isCompany,
  ParticipantJoinedFrame,
  ParticipantLeftFrame,
} from '../frames/participants.ts';
import { checkDurationMs, checkOneOf } from '../lib/options.ts';
import { FrameProcessor, type FrameProcessorOptions } from './frame-processor.ts';

/** When a bot counts as alone. */
export interface EndWhenAloneOptions extends FrameProcessorOptions {
  /** How long the bot stays alone before it ends the run, in milliseconds. Default 10 000. */
  readonly graceMs?: number;
  /** Participants that count as company. Default `'people'`: recorders, avatars and other bots do not count. */
  readonly company?: Company;
}

/**
 * Requests the end of the run when the bot has been alone in the room for `graceMs`.
 *
 * Frames in: {@link ParticipantJoinedFrame}, {@link ParticipantLeftFrame}; everything passes through.
 * Frames out: one {@link EndTaskFrame}, upstream, each time the bot has been left alone.
 * Waits for the first participant that counts as company: a bot that has always been alone does not end.
 *
 * @example
 * ```ts
 * new Pipeline([transport.input(), new EndWhenAlone({ graceMs: 5_000 }), bot, transport.output()]);
 * ```
 *
 * @throws {InvalidOptionError} An option can never work.
 */
export class EndWhenAlone extends FrameProcessor {
  readonly #participants = new Set<string>();
  readonly #alone = new Subject<boolean>();
  readonly #graceMs: number;
  readonly #company: Company;
  #subscription: Subscription | undefined;
  #hadCompany = false;

  constructor(options: EndWhenAloneOptions = {}) {
    super(options);
    const { graceMs = 10_000, company = 'people' } = options;
    checkDurationMs('graceMs', graceMs, { zero: true });
    checkOneOf('company', company, ['people', 'everybody']);
    this.#graceMs = graceMs;
    this.#company = company;
  }

  protected override process(frame: Frame, direction: FrameDirection): void {
    if (roleOf(frame) === 'start') this.#watch();
    else if (isTerminalFrame(frame)) this.#subscription?.unsubscribe();
    else if (frame instanceof ParticipantJoinedFrame) this.#joined(frame);
    else if (frame instanceof ParticipantLeftFrame) this.#left(frame.identity);
    this.push(frame, direction);
  }

  override async cleanup(): Promise<void> {
    this.#subscription?.unsubscribe();
    this.#participants.clear();
    this.#hadCompany = false;
    await super.cleanup();
  }

  #watch(): void {
    this.#subscription?.unsubscribe();
    const graceOver$ = this.#alone.pipe(
      distinctUntilChanged(),
      switchMap((alone) => (alone ? timer(this.#graceMs) : EMPTY)),
    );
    this.#subscription = graceOver$.subscribe(() => {
      this.push(new EndTaskFrame('alone in the room'), 'upstream');
    });
    // a run after a StopFrame begins with the participants of the previous one
    this.#alone.next(this.#isAlone);
  }

  #joined({ identity, participantKind }: ParticipantJoinedFrame): void {
    if (!isCompany(participantKind, this.#company)) return;
    if (this.#subscription === undefined) this.#watch();
    this.#participants.add(identity);
    this.#hadCompany = true;
    this.#alone.next(false);
  }

  #left(identity: string): void {
    this.#participants.delete(identity);
    this.#alone.next(this.#isAlone);
  }

  get #isAlone(): boolean {
    return this.#hadCompany && this.#participants.size === 0;
  }
}
