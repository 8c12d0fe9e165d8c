/** The keys of a telephone. */

import { InvalidOptionError } from '../lib/errors.ts';
import { DataFrame, SystemFrame } from './frame.ts';

const keypad = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#'] as const;

const oneKey = 'one of the keys 0 to 9, * and #';

/** One key. */
export type KeypadEntry = (typeof keypad)[number];

/** True for a text that is exactly one key. */
export function isKeypadEntry(value: unknown): value is KeypadEntry {
  return keypad.includes(value as KeypadEntry);
}

/** A caller pressed a key. */
export class InputDTMFFrame extends SystemFrame {
  static {
    InputDTMFFrame.showsActivity('sign');
  }
  /** The key. */
  readonly button: KeypadEntry;
  /** The identity of the participant that pressed it; `undefined` where the transport does not know it. */
  readonly userId: string | undefined;

  /** @throws {InvalidOptionError} `button` is no key. */
  constructor(button: KeypadEntry, userId?: string) {
    super();
    if (!isKeypadEntry(button)) throw new InvalidOptionError('button', oneKey, button);
    this.button = button;
    this.userId = userId;
  }
}

/** Keys to press in their turn: the output transport plays them after the sound ahead of them. */
export class OutputDTMFFrame extends DataFrame {
  /** At least one. */
  readonly buttons: readonly KeypadEntry[];

  /** @throws {InvalidOptionError} `buttons` is empty, or holds something that is no key. */
  constructor(buttons: readonly KeypadEntry[]) {
    super();
    this.buttons = checkedKeys(buttons);
  }

  /**
   * The keys of a text such as `12#`.
   *
   * @throws {InvalidOptionError} The text is empty, or holds something that is no key.
   */
  static fromString(keys: string): OutputDTMFFrame {
    return new OutputDTMFFrame([...keys] as KeypadEntry[]);
  }

  /** The keys as a text such as `12#`. */
  override toString(): string {
    return this.buttons.join('');
  }
}

/** Keys to press at once: the output transport does not wait for the sound ahead of them. */
export class OutputDTMFUrgentFrame extends SystemFrame {
  /** At least one. */
  readonly buttons: readonly KeypadEntry[];

  /** @throws {InvalidOptionError} `buttons` is empty, or holds something that is no key. */
  constructor(buttons: readonly KeypadEntry[]) {
    super();
    this.buttons = checkedKeys(buttons);
  }

  /**
   * The keys of a text such as `12#`.
   *
   * @throws {InvalidOptionError} The text is empty, or holds something that is no key.
   */
  static fromString(keys: string): OutputDTMFUrgentFrame {
    return new OutputDTMFUrgentFrame([...keys] as KeypadEntry[]);
  }

  /** The keys as a text such as `12#`. */
  override toString(): string {
    return this.buttons.join('');
  }
}

function checkedKeys(buttons: readonly KeypadEntry[]): readonly KeypadEntry[] {
  if (Array.isArray(buttons) && buttons.length > 0 && buttons.every(isKeypadEntry)) return buttons;
  throw new InvalidOptionError('buttons', 'a list of one or more of the keys 0 to 9, * and #', buttons);
}
