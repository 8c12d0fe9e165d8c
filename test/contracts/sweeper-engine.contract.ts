/** What every engine of the sweeper has to do, shown on a LiveKit in this process; in virtual time where the engine can. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LiveKitRESTError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { leaseAttribute } from '../../src/rooms/lease.ts';
import { LiveKitRESTHelper } from '../../src/rooms/rest/livekit-rest-helper.ts';
import type { SweeperEngine } from '../../src/sweeper/engine/engine.ts';
import { Sweeper } from '../../src/sweeper/sweeper.ts';
import type { OrphanReport } from '../../src/sweeper/sweeper-events.ts';
import type { SweeperOptions, SweeperRest } from '../../src/sweeper/sweeper-options.ts';
import type { FakeLiveKitServer, FakeRequest } from '../../src/testing/fake-livekit-server.ts';
import { sleep } from '../support/fake-time.ts';
import { promised } from '../support/promised.ts';
import { MemoryLiveKit, type WholeRest } from './memory-livekit.ts';

/** A LiveKit in this process, with a server or without. */
export type SweptLiveKit = FakeLiveKitServer | MemoryLiveKit;

export interface EngineUnderTest {
  /** Starts the LiveKit that it works with; called before each test. */
  readonly livekit: () => Promise<SweptLiveKit>;
  /** Called before the first test. */
  readonly open?: () => Promise<void>;
  readonly close?: () => Promise<void>;
  /** Makes an engine; those of one `group` share their work, if they can. */
  readonly make: (group: string) => SweeperEngine;
}

/** Short enough for a test, long enough for a busy machine. */
export const contractLimits = { pollMs: 300, leaseTtlMs: 1_800, graceMs: 1_800 };
const beatMs = 150;
const marked = { metadata: '{"endframe":true}' };
let worlds = 0;

function nextWorld(): string {
  worlds += 1;
  return `${process.pid}-${worlds}`;
}

export interface SwitchableRest extends SweeperRest {
  fail(call: 'listRooms' | 'listParticipants', error: LiveKitRESTError): void;
  /** How many calls have failed by it. */
  readonly failures: number;
}

/** A fake LiveKit with bots that beat, and sweepers on it. */
export class SweptWorld<LiveKit extends SweptLiveKit = SweptLiveKit> implements AsyncDisposable {
  readonly server: LiveKit;
  readonly reaped: OrphanReport[] = [];
  readonly failures: unknown[] = [];
  /** Rooms whose looks fail, and those whose looks are never answered. */
  readonly unreadable: Set<string> = new Set();
  readonly hanging: Set<string> = new Set();
  /** Sweepers of one world share their work. */
  readonly group: string = `world-${nextWorld()}`;
  readonly #make: EngineUnderTest['make'];
  readonly #sweepers: Sweeper[] = [];
  readonly #beating = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(server: LiveKit, make: EngineUnderTest['make']) {
    this.server = server;
    this.#make = make;
    this.#timer = setInterval(() => this.#beat(), beatMs);
  }

  bot(name: string): void {
    this.server.createRoom(name, marked);
    this.server.join(name, 'bot', { agent: true });
    this.#beating.set(name, 0);
    this.#beat();
  }

  /** Its loop stands still; LiveKit does not notice. */
  block(name: string): void {
    this.#beating.delete(name);
  }

  sweep(options: Partial<SweeperOptions> = {}): Sweeper {
    const sweeper = this.sweeper(options);
    sweeper.start();
    return sweeper;
  }

  /** One that has not started. */
  sweeper(options: Partial<SweeperOptions> = {}): Sweeper {
    const rest = this.#faulty(this.#rest(this.server.apiSecret));
    const engine = this.#make(this.group);
    const all = { rest, prefix: 'agents-', engine, logger: silentLogger, ...contractLimits, ...options };
    const sweeper = new Sweeper(all);
    sweeper.on('roomReaped', (report) => this.reaped.push(report));
    sweeper.on('sweepFailed', (error) => this.failures.push(error));
    this.#sweepers.push(sweeper);
    return sweeper;
  }

  /** A way to the same LiveKit with a secret that is not its own. */
  refused(): SweeperRest {
    return this.#rest('another-secret-than-that-of-the-server');
  }

  /** A way to it of which one call can be made to fail. */
  switchable(): SwitchableRest {
    const rest = this.#faulty(this.#rest(this.server.apiSecret));
    const errors = new Map<string, LiveKitRESTError>();
    let failures = 0;
    const checked = <T>(name: string, call: () => Promise<T>): Promise<T> => {
      const error = errors.get(name);
      if (error === undefined) return call();
      failures += 1;
      return Promise.reject(error);
    };
    return {
      ...rest,
      listRooms: (names, options) => checked('listRooms', () => rest.listRooms(names, options)),
      listParticipants: (name, options) =>
        checked('listParticipants', () => rest.listParticipants(name, options)),
      fail: (call, error) => void errors.set(call, error),
      get failures() {
        return failures;
      },
    };
  }

  #rest(apiSecret: string): WholeRest {
    const server: SweptLiveKit = this.server;
    if (server instanceof MemoryLiveKit) return server.rest(apiSecret);
    const { apiKey, url } = server;
    return new LiveKitRESTHelper({ apiKey, apiSecret, apiUrl: url, attemptTimeoutMs: 1_000 });
  }

  /** A LiveKit of which single rooms cannot be read. */
  #faulty(rest: WholeRest): SweeperRest {
    return {
      deleteRoomByName: (name, options) => rest.deleteRoomByName(name, options),
      listRooms: (names, options) => rest.listRooms(names, options),
      createRoom: (name) => rest.createRoom(name),
      listParticipants: async (name, options) => {
        if (this.hanging.has(name)) await new Promise(() => {});
        if (!this.unreadable.has(name)) return rest.listParticipants(name, options);
        throw new LiveKitRESTError(name, { kind: 'unavailable', retryable: true, status: 503 });
      },
    };
  }

  get names(): string[] {
    return this.server.rooms.map(({ name }) => name);
  }

  /** Looks at one room that LiveKit was asked for. */
  looks(name: string): number {
    return this.#requests('ListParticipants', name);
  }

  /** Deletions of a room that LiveKit was asked for. */
  deletions(name: string): number {
    return this.#requests('DeleteRoom', name);
  }

  #requests(method: string, name: string): number {
    const requests: readonly Pick<FakeRequest, 'call' | 'body'>[] = this.server.requests;
    return requests.filter(({ call, body }) => call === method && body.includes(`"${name}"`)).length;
  }

  async until(what: () => boolean, limitMs = 100_000): Promise<number> {
    const startedMs = performance.now();
    while (!what()) {
      if (performance.now() - startedMs > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
      await sleep(10);
    }
    return performance.now() - startedMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#sweepers.map((sweeper) => sweeper.stop()));
    await this.server.stop();
  }

  #beat(): void {
    for (const [name, count] of this.#beating) {
      const bot = this.server.room(name)?.participants.get('bot');
      if (bot !== undefined) bot.attributes[leaseAttribute] = `run.${count}`;
      this.#beating.set(name, count + 1);
    }
  }
}

/** Runs the suite for one engine. */
export function sweeperEngineContract(name: string, engine: EngineUnderTest): void {
  describe(`${name}, as every engine`, () => {
    const live = ['agents-1', 'agents-2', 'agents-3', 'agents-4', 'agents-5'];
    let world: SweptWorld;
    beforeAll(async () => engine.open?.());
    afterAll(async () => engine.close?.());
    beforeEach(async () => {
      world = new SweptWorld(await engine.livekit(), engine.make);
      for (const room of [...live, 'agents-dead']) world.bot(room);
      world.server.createRoom('agents-foreign', { metadata: '' });
      world.server.createRoom('my-agents', marked);
    });
    afterEach(() => world[Symbol.asyncDispose]());

    const boundMs = contractLimits.leaseTtlMs + 2 * contractLimits.pollMs;
    const slackMs = 20_000;
    function expectOnlyTheDeadGone(): void {
      expect(world.names).toEqual([...live, 'agents-foreign', 'my-agents']);
      expect(world.reaped.map(({ roomName, status }) => [roomName, status])).toEqual([
        ['agents-dead', 'deleted'],
      ]);
    }

    it('has the dead room deleted in time, and no other', async () => {
      world.sweep();
      await world.until(() => world.looks('agents-dead') >= 2);
      world.block('agents-dead');
      const tookMs = await world.until(() => !world.names.includes('agents-dead'), boundMs + slackMs);
      expect(tookMs).toBeGreaterThan(contractLimits.leaseTtlMs - 2 * beatMs);
      await sleep(2 * contractLimits.leaseTtlMs);
      expectOnlyTheDeadGone();
    });

    it('looks only at rooms that are ours', async () => {
      world.sweep();
      await world.until(() => world.looks('agents-5') >= 2);
      expect(world.looks('agents-foreign') + world.looks('my-agents')).toBe(0);
    });

    it('starts all timers again when LiveKit was away', async () => {
      world.sweep();
      await world.until(() => world.looks('agents-dead') >= 2);
      for (const room of live) world.block(room);
      await sleep(contractLimits.leaseTtlMs / 2);
      world.server.fail({ kind: 'status', status: 503 });
      await world.until(() => world.failures.length > 0);
      // longer than the two polls by which a look may be late
      await sleep(6 * contractLimits.pollMs);
      world.server.heal();
      const healedMs = performance.now();
      await world.until(() => world.reaped.length > 0);
      // what it had seen before counts for a half at most
      expect(performance.now() - healedMs).toBeGreaterThan(contractLimits.leaseTtlMs / 2 - 50);
    });

    it('looks again at a room that could not be read, and handles the others meanwhile', async () => {
      world.sweep();
      await world.until(() => world.looks('agents-dead') >= 2);
      world.unreadable.add('agents-1');
      for (const room of ['agents-dead', 'agents-1']) world.block(room);
      await world.until(() => !world.names.includes('agents-dead'), boundMs + slackMs);
      await sleep(contractLimits.leaseTtlMs);
      expect(world.names).toEqual(expect.arrayContaining(live));
      world.unreadable.clear();
      await world.until(() => !world.names.includes('agents-1'), 2 * boundMs + slackMs);
      expect(world.names).toEqual(expect.arrayContaining(live.slice(1)));
    });

    it('has the dead room deleted in time while LiveKit hangs for many others', async () => {
      const hidden = Array.from({ length: 20 }, (_, index) => `agents-hidden-${index}`);
      for (const room of hidden) world.bot(room);
      world.sweep();
      await world.until(() => world.looks('agents-hidden-19') >= 2);
      for (const room of hidden) world.hanging.add(room);
      world.block('agents-dead');
      await world.until(() => !world.names.includes('agents-dead'));
      expect(world.names).toEqual(expect.arrayContaining([...live, ...hidden]));
    });

    it('does not delete more than the cap in one pass', async () => {
      for (let index = 0; index < 30; index += 1) world.bot(`agents-crowd-${index}`);
      const reapedAtMs: number[] = [];
      const sweeper = world.sweep({ minDeletionCap: 5, maxDeletionShare: 0 });
      sweeper.on('roomReaped', () => reapedAtMs.push(performance.now()));
      await world.until(() => world.looks('agents-crowd-29') >= 2);
      for (let index = 0; index < 30; index += 1) world.block(`agents-crowd-${index}`);
      await world.until(() => reapedAtMs.length >= 30);
      const spanMs = (reapedAtMs.at(-1) ?? 0) - (reapedAtMs[0] ?? 0);
      expect(spanMs).toBeGreaterThan(4 * contractLimits.pollMs);
      expect(world.names).toEqual(expect.arrayContaining(live));
    });

    it('looks within a second when it is asked to, even at a new room', async () => {
      const sweeper = world.sweep({ pollMs: 20_000, leaseTtlMs: 60_000 });
      await world.until(() => world.looks('agents-5') >= 1);
      // rooms that were looked at just now are left alone
      await sleep(1_200);
      world.bot('agents-new');
      const before = world.looks('agents-1');
      sweeper.lookSooner('agents-1', 'agents-new', 'agents-foreign', 'agents-unknown');
      await world.until(
        () => world.looks('agents-new') === 1 && world.looks('agents-1') > before,
        promised(1_000),
      );
      expect(world.looks('agents-foreign')).toBe(0);
    });

    it('decides no sooner for being asked to look', async () => {
      const sweeper = world.sweep();
      await world.until(() => world.looks('agents-dead') >= 2);
      world.block('agents-dead');
      const startedMs = performance.now();
      while (world.names.includes('agents-dead')) {
        sweeper.lookSooner('agents-dead');
        await sleep(20);
      }
      expect(performance.now() - startedMs).toBeGreaterThan(contractLimits.leaseTtlMs - 2 * beatMs);
    });

    it('reaps each of many rooms once, with two sweepers', async () => {
      for (let index = 0; index < 60; index += 1) world.bot(`agents-crowd-${index}`);
      world.sweep({ minDeletionCap: 1_000 });
      world.sweep({ minDeletionCap: 1_000 });
      await world.until(() => world.looks('agents-crowd-59') >= 2);
      for (let index = 0; index < 60; index += 1) world.block(`agents-crowd-${index}`);
      await world.until(() => world.server.rooms.length <= 8);
      await sleep(500);
      const deleted = world.reaped
        .filter(({ status }) => status === 'deleted')
        .map(({ roomName }) => roomName);
      expect(deleted.length).toBe(60);
      expect(new Set(deleted).size).toBe(60);
    });

    it('begins nothing after it was stopped, and stops in time', async () => {
      const sweeper = world.sweep();
      await world.until(() => world.looks('agents-5') >= 1);
      const startedMs = performance.now();
      await sweeper.stop();
      expect(performance.now() - startedMs).toBeLessThan(promised(2_000));
      // what was on its way already may still arrive
      await sleep(100);
      const before = world.server.requests.length;
      await sleep(5 * contractLimits.pollMs);
      expect(world.server.requests.length).toBe(before);
    });
  });
}
