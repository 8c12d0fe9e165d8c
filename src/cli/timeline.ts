import { styleText } from 'node:util';

const colours = { bot: 'cyan', caller: 'magenta', livekit: 'yellow', check: 'green', demo: 'white' } as const;

/** Who did something. */
export type Actor = keyof typeof colours;

/** Prints what happened, in the order of the call, with the milliseconds since its beginning. */
export class Timeline {
  readonly #write: (text: string) => void;
  readonly #startedAt = now();

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** @param at When it happened, milliseconds since 1970. Default: now. */
  add(actor: Actor, text: string, at: number = now()): void {
    const ms = `${Math.max(0, at - this.#startedAt).toFixed(0)} ms`.padStart(9);
    this.#write(`${styleText('dim', ms)}  ${styleText(colours[actor], actor.padEnd(8))}${text}\n`);
  }
}

/** The same clock in every process of this machine. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
