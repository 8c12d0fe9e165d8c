/** A caller: a real participant in a process of its own, in place of a browser or phone. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HeardAudioReport } from './heard-audio.ts';

/** An event of a caller. `at` is wall clock, milliseconds since 1970 with fractions. */
export type CallerEvent = { readonly at: number } & (
  | { readonly event: 'joined'; readonly identity: string; readonly roomSid: string }
  /** LiveKit announces participants that publish nothing up to 3 s late. */
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

/** A command to a caller's process. */
export type CallerCommand =
  | { readonly command: 'join'; readonly url: string; readonly token: string; readonly rejoins: boolean }
  | { readonly command: 'playTone'; readonly frequencyHz: number; readonly durationMs: number }
  | { readonly command: 'pressKeys'; readonly keys: string }
  | { readonly command: 'sendMessage'; readonly text: string }
  | { readonly command: 'report' }
  | { readonly command: 'leave' };

type EventOf<Name extends CallerEvent['event']> = Named<CallerEvent, Name>;
/** Unlike `Extract`, also for events that share a shape. */
type Named<Event, Name> = Event extends { readonly event: infer Names }
  ? Name extends Names
    ? Event & { readonly event: Name }
    : never
  : never;

/** Options of {@link spawnCaller}. */
export interface CallerOptions {
  /** The LiveKit server's, `ws:` or `wss:`. */
  readonly url: string;
  /** A join token; sent over a pipe, not on the command line. */
  readonly token: string;
  /** Whether it rejoins with the same token after a disconnect. Default false. */
  readonly rejoins?: boolean;
  /** Arguments for the child's Node. Default none. */
  readonly nodeArgs?: readonly string[];
}

/** Options of {@link Caller.waitFor}. */
export interface WaitForOptions<Event extends CallerEvent> {
  /** Matches the event. Default: any. */
  readonly where?: (event: Event) => boolean;
  /** Limit, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

/** Controls a caller's process, which ends with this one. */
export interface Caller extends AsyncDisposable {
  /** Process id. */
  readonly pid: number;
  /** All events so far. */
  readonly events: readonly CallerEvent[];
  /** Settles with the exit code, `null` after a signal; never rejects. */
  readonly exited: Promise<number | null>;
  /**
   * Resolves with the first event that matches, including earlier ones.
   *
   * @throws {Error} The limit has passed, or the caller ended without it; the message lists the events so far.
   */
  waitFor<Name extends CallerEvent['event']>(
    event: Name,
    options?: WaitForOptions<EventOf<Name>>,
  ): Promise<EventOf<Name>>;
  /** Measurements of the audio received so far, of a participant or of the only one received. */
  heard(identity?: string): Promise<HeardAudioReport>;
  /** Plays a tone, once it is subscribed to or after 1 s; resolves when it has been played. */
  playTone(frequencyHz: number, durationMs: number): Promise<void>;
  /**
   * Sends DTMF keys, one after the other.
   *
   * @param keys Such as `12#`.
   */
  pressKeys(keys: string): Promise<void>;
  /** Sends a data message to all participants; a JSON object becomes a message frame. */
  sendMessage(text: string): Promise<void>;
  /** Leaves the room and exits. */
  leave(): Promise<void>;
  /** Sends a signal, such as SIGSTOP and SIGCONT. */
  kill(signal: NodeJS.Signals): void;
  /** Kills the process; the server detects it after about 20 s. */
  stop(): Promise<void>;
}

/**
 * Starts a caller in a process of its own, which joins at once.
 *
 * It measures the audio it receives (`heard`), reports why it was disconnected (`disconnected`), and exits after that.
 * It needs `@livekit/rtc-node`; without, it emits `failed`.
 */
export function spawnCaller({ url, token, rejoins = false, nodeArgs = [] }: CallerOptions): Caller {
  const child = fork(callerProgram(), [], {
    execArgv: [...nodeArgs],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.send({ command: 'join', url, token, rejoins } satisfies CallerCommand);
  return new CallerProcess(child);
}

/** @throws {Error} It is not beside this file, which is in a bundle. */
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
    // a command to a caller that has just exited is no error
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
