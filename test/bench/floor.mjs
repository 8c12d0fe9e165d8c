/**
 * The floor: what a row of stages costs when there is nothing but queues and handlers.
 *
 * Every stage has two lanes, each a ring in one array, and a handler; a microtask of its own works them off. No
 * start gate, no interruption, no errors, no giving way, nobody to watch: what endframe adds is the distance to
 * this.
 */

/** @typedef {import('../../dist/index.js').Frame} Frame */
/** @typedef {import('../../dist/index.js').FrameDirection} FrameDirection */
/** @typedef {(stage: Stage, frame: Frame, direction: FrameDirection) => void | Promise<void>} Handler */

/** Frame and direction by turns. */
class Lane {
  /** @type {any[]} */
  #slots = new Array(32).fill(undefined);
  #head = 0;
  length = 0;

  /**
   * @param {Frame} frame
   * @param {FrameDirection} direction
   */
  push(frame, direction) {
    if (this.length * 2 === this.#slots.length) this.#grow();
    const slots = this.#slots;
    const at = (this.#head + this.length * 2) & (slots.length - 1);
    slots[at] = frame;
    slots[at + 1] = direction;
    this.length += 1;
  }

  /** @returns {Frame} */
  get first() {
    return this.#slots[this.#head];
  }

  /** @returns {FrameDirection} */
  get firstDirection() {
    return this.#slots[this.#head + 1];
  }

  shift() {
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 2) & (this.#slots.length - 1);
    this.length -= 1;
  }

  #grow() {
    const old = this.#slots;
    const slots = [...old.slice(this.#head), ...old.slice(0, this.#head)];
    slots.length = old.length * 2;
    this.#slots = slots.fill(undefined, old.length);
    this.#head = 0;
  }
}

class Stage {
  #system = new Lane();
  #lane = new Lane();
  #awake = false;
  /** @type {Handler} */
  #handle;
  /** @type {{ queueFrame(frame: Frame, direction: FrameDirection): void } | undefined} */
  next;
  /** @type {Stage | undefined} */
  previous;

  /** @param {Handler} handle */
  constructor(handle) {
    this.#handle = handle;
  }

  /**
   * @param {Frame} frame
   * @param {FrameDirection} direction
   */
  queueFrame(frame, direction) {
    (frame.kind === 'system' ? this.#system : this.#lane).push(frame, direction);
    if (this.#awake) return;
    this.#awake = true;
    queueMicrotask(this.#drain);
  }

  /**
   * @param {Frame} frame
   * @param {FrameDirection} direction
   */
  push(frame, direction) {
    (direction === 'downstream' ? this.next : this.previous)?.queueFrame(frame, direction);
  }

  #drain = () => {
    for (;;) {
      const lane = this.#system.length > 0 ? this.#system : this.#lane;
      if (lane.length === 0) break;
      const frame = lane.first;
      const direction = lane.firstDirection;
      lane.shift();
      const result = this.#handle(this, frame, direction);
      if (result !== undefined) {
        result.then(this.#drain);
        return;
      }
    }
    this.#awake = false;
  };
}

/** @type {Handler} */
export const passOn = (stage, frame, direction) => stage.push(frame, direction);

/**
 * @param {Stage} stage
 * @param {Frame} frame
 * @param {FrameDirection} direction
 */
export async function passOnLater(stage, frame, direction) {
  await undefined;
  stage.push(frame, direction);
}

/**
 * A row of stages with a counter behind the last one.
 *
 * @param {number} length
 * @param {Handler} handle
 */
export function floorRow(length, handle) {
  const stages = Array.from({ length }, () => new Stage(handle));
  let missing = 0;
  let arrived = () => {};
  const counter = {
    queueFrame() {
      missing -= 1;
      if (missing === 0) arrived();
    },
  };
  for (const [index, stage] of stages.entries()) {
    stage.next = stages[index + 1] ?? counter;
    stage.previous = stages[index - 1];
  }
  return {
    /**
     * Sends frames in one go; fulfils when the last has come out.
     *
     * @param {readonly Frame[]} frames
     * @returns {Promise<void>}
     */
    send(frames) {
      missing = frames.length;
      const all = new Promise((resolve) => {
        arrived = () => resolve(undefined);
      });
      for (const frame of frames) stages[0]?.queueFrame(frame, 'downstream');
      return all;
    },
  };
}
