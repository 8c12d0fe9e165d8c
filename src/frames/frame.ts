/** What every frame has, and the three kinds of frames. */

/** How a queue treats a frame. */
export type FrameKind = 'system' | 'data' | 'control';

/** With the audio towards the output and the caller, or against it. */
export type FrameDirection = 'downstream' | 'upstream';

/** Frames that the framework itself acts on, whichever copy of the package made them. */
export type FrameRole =
  | 'start'
  | 'end'
  | 'stop'
  | 'cancel'
  | 'end-task'
  | 'stop-task'
  | 'cancel-task'
  | 'interruption-task'
  | 'interruption'
  | 'pause'
  | 'resume'
  | 'error'
  | 'heartbeat'
  | 'flush';

/**
 * What a frame means for idle detection: `sign` is activity, `begins` and `ends` enclose a time without idleness.
 */
export type FrameActivity = 'sign' | 'begins' | 'ends';

/** Marks frames of every installed copy of the package; `instanceof` covers one copy only. */
const brand = Symbol.for('endframe.frame');

let nextId = 0;

/**
 * One unit of work in a pipeline.
 *
 * @see Pipecat `frames/frames.py`, `Frame`; there `pts` is in nanoseconds.
 */
export abstract class Frame {
  static {
    Object.defineProperty(Frame.prototype, brand, { value: true });
    Frame.hasRole(undefined);
    Frame.showsActivity(undefined);
  }

  /** Gives all frames of this class, and of its subclasses, a meaning to the framework. */
  protected static hasRole(role: FrameRole | undefined): void {
    // biome-ignore lint/complexity/noThisInStatic: the class it is called on is what gets the role
    Object.defineProperty(this.prototype, 'frameRole', { value: role });
  }

  /** Has all frames of this class, and of its subclasses, hold off the task's idle timeout. */
  protected static showsActivity(activity: FrameActivity | undefined): void {
    // biome-ignore lint/complexity/noThisInStatic: the class it is called on is what is marked
    Object.defineProperty(this.prototype, 'frameActivity', { value: activity });
  }

  /** Its meaning for idle detection; `undefined` for most. */
  declare readonly frameActivity: FrameActivity | undefined;
  /** What the framework does with it; `undefined` for most. */
  declare readonly frameRole: FrameRole | undefined;
  /** The kind, which decides the priority and what an interruption drops. */
  declare abstract readonly kind: FrameKind;
  /** Unique in this process, in order of construction, from 0. */
  readonly id: number = nextId++;
  /** Presentation time in milliseconds; `undefined` when the frame has no place in time. */
  pts: number | undefined = undefined;
  /** Whether an interruption leaves this frame in the queue, and lets its processing finish. */
  uninterruptible = false;
  /** Which track or connection it came from; `undefined` for the only one. */
  transportSource: string | undefined = undefined;
  /** Which track or connection it is for; `undefined` for the default one. */
  transportDestination: string | undefined = undefined;
  /** `id` of the frame that was broadcast in the other direction. */
  broadcastSiblingId: number | undefined = undefined;
  /** Anything that should travel along. */
  metadata: Record<string, unknown> = {};

  /** Class name and id, for logs only: `EndFrame#12`. */
  get name(): string {
    return `${this.constructor.name}#${this.id}`;
  }

  /** The name and id, for logs. */
  toString(): string {
    return this.name;
  }
}

/** Overtakes data and control frames, in order among themselves; never dropped by an interruption. */
export abstract class SystemFrame extends Frame {
  static {
    Object.defineProperty(SystemFrame.prototype, 'kind', { value: 'system' });
  }
  /** Processed before data and control frames; not dropped by an interruption. */
  declare readonly kind: 'system';
}

/** Content, kept in order; dropped by an interruption. */
export abstract class DataFrame extends Frame {
  static {
    Object.defineProperty(DataFrame.prototype, 'kind', { value: 'data' });
  }
  /** Processed in order; dropped by an interruption unless `uninterruptible`. */
  declare readonly kind: 'data';
}

/** Instructions, kept in order with the content around them; dropped by an interruption. */
export abstract class ControlFrame extends Frame {
  static {
    Object.defineProperty(ControlFrame.prototype, 'kind', { value: 'control' });
  }
  /** Processed in order; dropped by an interruption unless `uninterruptible`. */
  declare readonly kind: 'control';
}

/** A frame of the same class and fields with an id of its own; metadata is copied, other values are shared. */
export function copyFrame<F extends Frame>(frame: F): F {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(frame)), frame);
  copy.id = nextId++;
  copy.metadata = { ...frame.metadata };
  return copy;
}

/** True for a frame of any installed copy of the package. */
export function isFrame(value: unknown): value is Frame {
  return typeof value === 'object' && value !== null && brand in value;
}

/**
 * True for the framework's own frames, of any installed copy of the package: lifecycle frames, requests to the task,
 * flush probes, heartbeats, pause and resume. Filters, gates and aggregators always pass them on; interruptions and errors are not among them.
 */
export function isFrameworkFrame(frame: Frame): boolean {
  const role = frame.frameRole;
  return role !== undefined && role !== 'interruption' && role !== 'error';
}

/** What the framework does with a frame, also one of another copy of the package. */
export function roleOf(value: unknown): FrameRole | undefined {
  return isFrame(value) ? value.frameRole : undefined;
}
