/** The base classes of strategies that decide when a user's turn starts and stops. */

import type { Frame } from '../../frames/frame.ts';

/** How a turn starts or stops. */
export interface TurnChangeOptions {
  /** Whether the start interrupts the bot. Default: what the strategy was made with. */
  readonly interrupts?: boolean;
  /** Whether frames announce it; not where others have done so. Default true. */
  readonly announces?: boolean;
}

/** What a strategy may do; implemented by the turn controller. */
export interface UserTurn {
  /** Starts a turn; ignored while one is open. */
  start(options: Required<TurnChangeOptions>): void;
  /** What was said so far becomes a message, and the model is asked. */
  infer(): void;
  /** Stops the turn, unless the user speaks. */
  stop(options: { readonly announces: boolean }): void;
  /** Forgets what was said, unless a turn is open. */
  resetAggregation(): void;
  /** Pushes a frame downstream. */
  push(frame: Frame): void;
  /** Reports an error. */
  failed(error: unknown): void;
}

const noTurn: UserTurn = {
  start: () => {},
  infer: () => {},
  stop: () => {},
  resetAggregation: () => {},
  push: () => {},
  failed: () => {},
};

/** What start and stop strategies have in common. */
abstract class UserTurnStrategy {
  #turn: UserTurn = noTurn;

  /** Whether it decides about proposals of services; they go no further then. */
  get resolvesProposals(): boolean {
    return false;
  }

  /** What it may do. */
  protected get turn(): UserTurn {
    return this.#turn;
  }

  /** Called before a run. */
  attach(turn: UserTurn): void {
    this.#turn = turn;
  }

  /** A turn has started. */
  turnStarted(): void {}

  /** A turn has stopped. */
  turnStopped(): void {}

  /** Called before the StartFrame; may reject where something is missing. */
  prepare(): Promise<void> | void {}

  /** The run is over: nothing may be left behind. */
  close(): Promise<void> | void {}
}

/** Decides when a user's turn starts. */
export abstract class UserTurnStartStrategy extends UserTurnStrategy {
  readonly #interrupts: boolean;

  /** @param interrupts Whether the start of a turn interrupts the bot. Default true. */
  constructor({ interrupts = true }: { readonly interrupts?: boolean | undefined } = {}) {
    super();
    this.#interrupts = interrupts;
  }

  /**
   * Called with every frame that is not muted.
   *
   * @returns True where the strategies behind it must not see the frame.
   */
  abstract process(frame: Frame): boolean;

  /** Starts a turn. */
  protected triggerUserTurnStarted(options: TurnChangeOptions = {}): void {
    const { interrupts = this.#interrupts, announces = true } = options;
    this.turn.start({ interrupts, announces });
  }
}

/** Decides when a user's turn stops. */
export abstract class UserTurnStopStrategy extends UserTurnStrategy {
  /** Called with every frame that is not muted. */
  abstract process(frame: Frame): void;

  /** The model is asked, and the turn stops. */
  protected triggerUserTurnStopped({ announces = true }: { readonly announces?: boolean } = {}): void {
    this.turn.infer();
    this.turn.stop({ announces });
  }
}

/** A stop strategy that asks the model without stopping the turn: another one does, or the turn's time limit. */
export function deferred(strategy: UserTurnStopStrategy): UserTurnStopStrategy {
  const attach = strategy.attach.bind(strategy);
  strategy.attach = (turn) => attach({ ...turn, stop: () => {} });
  return strategy;
}
