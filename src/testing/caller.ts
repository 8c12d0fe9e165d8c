/** A caller: somebody in a room who is not the bot, in a process of its own, as a browser or a phone is. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HeardAudioReport } from './heard-audio.ts';

/** What a caller tells. `at` is wall clock, milliseconds since 1970 with fractions. */
export type CallerEvent = { readonly at: number } & (
  | { readonly event: 'joined'; readonly identity: string; readonly roomSid: string }
  /** LiveKit tells of somebody who publishes nothing up to 3 s late. */
  | { readonly event: 'participantJoined' | 'participantLeft'; readonly identity: string }
  | { readonly event: 'trackSubscribed' | 'audioStarted'; readonly identity: string }
  | {
      readonly event: 'attributesChanged';
      readonly identity: string;
      readonly attributes: Record<string, string>;
    }
  | { readonly event: 'messageReceived'; readonly identity: string | undefined; readonly text: string }
  | { readonly event: 'keyReceived'; readonly identity: string; readonly key: string }
  | { readonly event: 'tonePlayed' | 'keysPressed' | 'messageSent' | 'reconnecting' | 'reconnected' | 'left' }
  | ({ readonly event: 'heard'; readonly identity: string } & HeardAudioReport)
  | { readonly event: 'disconnected'; readonly reason: string }
  | { readonly event: 'failed'; readonly message: string }
);

/** What a caller can be told to do. */
export type CallerCommand =
  | { readonly command: 'join'; readonly url: string; readonly token: string; readonly rejoins: boolean }
  | { readonly command: 'playTone'; readonly frequencyHz: number; readonly durationMs: number }
  | { readonly command: 'pressKeys'; readonly keys: string }
  | { readonly command: 'sendMessage'; readonly text: string }
  | { readonly command: 'report' }
  | { readonly command: 'leave' };

type EventOf<Name extends CallerEvent['event']> = Named<CallerEvent, Name>;
/** Unlike `Extract` it finds an event that shares its shape with others. */
type Named<Event, Name> = Event extends { readonly event: infer Names }
  ? Name extends Names
    ? Event & { readonly event: Name }
    : never
  : never;

export interface CallerOptions {
  readonly url: string;
  /** A join token. It goes over a pipe, not over the command line. */
  readonly token: string;
  /** Joins again, with the same token, whenever it is disconnected. Default false. */
  readonly rejoins?: boolean;
  /** Arguments for the child's Node, before the program. */
  readonly nodeArgs?: readonly string[];
}

export interface WaitForOptions<Event extends CallerEvent> {
  /** Takes the first event for which it is true. */
  readonly where?: (event: Event) => boolean;
  /** Milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
}

/** A caller's process, seen from the one that started it and with which it ends. */
export interface Caller extends AsyncDisposable {
  readonly pid: number;
  /** Everything it has told so far. */
  readonly events: readonly CallerEvent[];
  /** Settles with the exit code, `null` after a signal; never rejects. */
  readonly exited: Promise<number | null>;
  /**
   * Resolves with the first such event, also when it came earlier.
   *
   * @throws {Error} The time is over, or the caller ended without it; the text tells what it did see.
   */
  waitFor<Name extends CallerEvent['event']>(
    event: Name,
    options?: WaitForOptions<EventOf<Name>>,
  ): Promise<EventOf<Name>>;
  /** What it has heard of a participant so far, or of the only one that was heard. */
  heard(identity?: string): Promise<HeardAudioReport>;
  /** Speaks, once somebody listens or after a second; resolves when the tone has been played. */
  playTone(frequencyHz: number, durationMs: number): Promise<void>;
  /**
   * Presses keys of a telephone, one after the other.
   *
   * @param keys Such as `12#`.
   */
  pressKeys(keys: string): Promise<void>;
  /** Sends a text to everybody; JSON of an object is what bots see as a message. */
  sendMessage(text: string): Promise<void>;
  /** Hangs up, and ends. */
  leave(): Promise<void>;
  /** Sends a signal: SIGSTOP and SIGCONT freeze and thaw it. */
  kill(signal: NodeJS.Signals): void;
  /** Kills the process; the room hears of it only when the server misses it, after about 20 s. */
  stop(): Promise<void>;
}

/**
 * Starts a caller in a process of its own; it joins at once.
 *
 * It tells what it hears (`heard`) and why it was disconnected (`disconnected`), and ends after that.
 * It needs `@livekit/rtc-node`, and says `failed` without.
 */
export function spawnCaller({ url, token, rejoins = false, nodeArgs = [] }: CallerOptions): Caller {
  const child = fork(callerProgram(), [], {
    execArgv: [...nodeArgs],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.send({ command: 'join', url, token, rejoins } satisfies CallerCommand);
  return new CallerProcess(child);
}

/** @throws {Error} It is not beside this file, because this file is in a bundle. */
function callerProgram(): string {
  const { url = '' } = import.meta;
  const file = url.startsWith('file:')
    ? join(dirname(fileURLToPath(url)), `caller-program${extname(url)}`)
    : '';
  if (existsSync(file)) return file;
  throw new Error('A caller needs the files of endframe/testing: leave it out of the bundle');
}

class CallerProcess implements Caller {
  readonly #child: ChildProcess;
  readonly #events: CallerEvent[] = [];
  readonly #watchers = new Set<() => void>();
  readonly exited: Promise<number | null>;
  #ended = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (event: CallerEvent) => {
      this.#events.push(event);
      this.#changed();
    });
    // a command to a caller that has just ended is no error
    child.on('error', () => {});
    this.exited = once(child, 'close').then(([code]) => {
      this.#ended = true;
      this.#changed();
      return code as number | null;
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get events(): readonly CallerEvent[] {
    return this.#events;
  }

  waitFor<Name extends CallerEvent['event']>(
    event: Name,
    options: WaitForOptions<EventOf<Name>> = {},
  ): Promise<EventOf<Name>> {
    return this.#waitFrom(0, event, options);
  }

  async heard(identity?: string): Promise<HeardAudioReport> {
    const where = (event: EventOf<'heard'>): boolean => identity === undefined || event.identity === identity;
    if (this.#ended) {
      const last = this.#events.findLast((event) => event.event === 'heard' && where(event));
      if (last !== undefined) return last as EventOf<'heard'>;
    }
    return this.#ask({ command: 'report' }, 'heard', { where });
  }

  async playTone(frequencyHz: number, durationMs: number): Promise<void> {
    const timeoutMs = durationMs + 10_000;
    await this.#ask({ command: 'playTone', frequencyHz, durationMs }, 'tonePlayed', { timeoutMs });
  }

  async pressKeys(keys: string): Promise<void> {
    await this.#ask({ command: 'pressKeys', keys }, 'keysPressed', {});
  }

  async sendMessage(text: string): Promise<void> {
    await this.#ask({ command: 'sendMessage', text }, 'messageSent', {});
  }

  async leave(): Promise<void> {
    this.#send({ command: 'leave' });
    await this.exited;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #ask<Name extends CallerEvent['event']>(
    command: CallerCommand,
    event: Name,
    options: WaitForOptions<EventOf<Name>>,
  ): Promise<EventOf<Name>> {
    const from = this.#events.length;
    this.#send(command);
    return this.#waitFrom(from, event, options);
  }

  #send(command: CallerCommand): void {
    if (this.#child.connected) this.#child.send(command, () => {});
  }

  #changed(): void {
    for (const look of [...this.#watchers]) look();
  }

  #waitFrom<Name extends CallerEvent['event']>(
    from: number,
    name: Name,
    { where = () => true, timeoutMs = 10_000 }: WaitForOptions<EventOf<Name>>,
  ): Promise<EventOf<Name>> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const fail = (why: string): void => {
        done();
        const seen = this.#events.map((event) => JSON.stringify(event)).join('\n');
        reject(new Error(`No "${name}" from the caller: ${why}. It told:\n${seen}`));
      };
      const look = (): void => {
        const isIt = (event: CallerEvent): event is EventOf<Name> => event.event === name;
        const found = this.#events.slice(from).find((event) => isIt(event) && where(event));
        if (found !== undefined) {
          done();
          resolve(found as EventOf<Name>);
        } else if (this.#ended) fail('it has ended');
      };
      const timer = setTimeout(() => fail(`nothing for ${timeoutMs} ms`), timeoutMs);
      this.#watchers.add(look);
      look();
    });
  }
}
