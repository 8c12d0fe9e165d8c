/** What the sessions of a random fault run live in: LiveKit, the ways to it, sweepers, and those who keep the minutes. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Room } from 'livekit-server-sdk';
import { generateRoomName } from '../../src/rooms/room-name.ts';
import { type LiveKitServer, startLiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { type LeasedBots, startLeasedBots } from '../sweeper/leased-bots.ts';
import type { ChaosHistory, Listing, Span } from './chaos-check.ts';
import type { PlannedDisturbance } from './chaos-schedule.ts';
import { ChaosSweeper, chaosPrefix } from './chaos-sweepers.ts';
import { closedPort } from './closed-port.ts';
import { listRooms, roomService } from './room-service.ts';
import { now } from './talking-bot.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

const listEveryMs = 100;
const livingBystanders = 3;
/** When this process, which has next to nothing to do, cannot run for so long, nobody else can. */
const stallMs = 1_000;
const tickMs = 100;

export class ChaosSurroundings implements AsyncDisposable {
  readonly server: LiveKitServer;
  /** Between the bots, with their guardians, and LiveKit's REST API. */
  readonly botsWay: TcpProxy;
  readonly listings: Listing[] = [];
  readonly disturbances: (Span & { readonly what: string })[] = [];
  readonly bystanders: ChaosHistory['bystanders'][number][] = [];
  readonly finished: ChaosHistory['finished'][number][];
  readonly #sweepersWay: TcpProxy;
  readonly #steadySweeper: ChaosSweeper;
  /** The one that is disturbed alone, and then nothing may be late. */
  readonly #otherSweeper: ChaosSweeper;
  readonly #webhooks: Server;
  readonly #crowd: LeasedBots;
  readonly #busy = new Set<string>();
  readonly #over = new AbortController();
  readonly #ticks: NodeJS.Timeout;
  #listing: Promise<void> = Promise.resolve();

  private constructor(
    server: LiveKitServer,
    ways: readonly [bots: TcpProxy, sweeper: TcpProxy],
    webhooks: Webhooks,
    hintsPort: number,
    crowd: LeasedBots,
  ) {
    this.server = server;
    [this.botsWay, this.#sweepersWay] = ways;
    this.#webhooks = webhooks.server;
    this.finished = webhooks.finished;
    this.#steadySweeper = ChaosSweeper.ofCommandLine(this.#sweepersWay.url, server);
    this.#otherSweeper = ChaosSweeper.withHints(this.#sweepersWay.url, server, hintsPort);
    this.#crowd = crowd;
    let tickedAt = now();
    this.#ticks = setInterval(() => {
      if (now() - tickedAt > stallMs)
        this.disturbances.push({ what: 'machine stalled', fromMs: tickedAt, toMs: now() });
      tickedAt = now();
    }, tickMs);
  }

  static async start(): Promise<ChaosSurroundings> {
    const [key, secret] = [`key${randomBytes(8).toString('hex')}`, randomBytes(32).toString('hex')];
    const webhooks = await listenToWebhooks();
    const hintsPort = await closedPort();
    const urls = [webhooks.url, `http://127.0.0.1:${hintsPort}/`];
    const config = { keys: { [key]: secret }, webhook: { api_key: key, urls } };
    const server = await startLiveKitServer({ config });
    const ways = [await startTcpProxy(server.httpUrl), await startTcpProxy(server.httpUrl)] as const;
    const rooms = Array.from({ length: livingBystanders }, () => generateRoomName(chaosPrefix));
    const crowd = await startLeasedBots(server, rooms, { beatMs: 1_000 });
    const surroundings = new ChaosSurroundings(server, ways, webhooks, hintsPort, crowd);
    for (const name of rooms) await surroundings.#protect(name);
    await surroundings.#startSweepers();
    surroundings.#listing = surroundings.#keepListing();
    return surroundings;
  }

  /** Somebody else makes a room whose name is like one of ours. */
  async addForeignRoom(): Promise<void> {
    const ours = generateRoomName(chaosPrefix);
    const alike = [
      `${ours}-2`,
      `my-${ours.slice(0, -1)}`,
      `${chaosPrefix}customer-${this.bystanders.length}`,
    ];
    const name = alike[this.bystanders.length % alike.length] ?? ours;
    await whenAnswered(() => roomService(this.server).createRoom({ name, emptyTimeout: 600 }));
    await this.#protect(name);
  }

  /** Resolves when it is over; does nothing while something of its kind goes on. */
  async disturb({ what, forMs, toxics }: PlannedDisturbance): Promise<void> {
    const kind = what.includes('sweeper') ? 'sweeper' : what;
    if (this.#busy.has(kind)) return;
    this.#busy.add(kind);
    const fromMs = now();
    const end = await this.#begin(what, toxics);
    await sleep(forMs);
    await end();
    this.disturbances.push({ what, fromMs, toMs: now() });
    this.#busy.delete(kind);
  }

  /** Also while LiveKit is frozen: then it takes so long. */
  async roomNamed(name: string): Promise<Room> {
    const [room] = await whenAnswered(() => listRooms(this.server, name));
    if (room === undefined) throw new Error(`there is no room ${name}`);
    return room;
  }

  /** Everything that the sweepers have printed. */
  get sweeperOutput(): string {
    return this.#sweepers.map(({ output }) => output).join('\n');
  }

  isListed(roomName: string): boolean {
    return this.listings.at(-1)?.rooms.has(roomName) ?? true;
  }

  /** False when it is still there after the limit. */
  async goneWithin(roomName: string, limitMs: number): Promise<boolean> {
    for (const until = now() + limitMs; now() < until; await sleep(50)) {
      if (!this.isListed(roomName)) return true;
    }
    return false;
  }

  /** One more list, from now on. */
  async listOnceMore(): Promise<void> {
    const before = now();
    while (!this.listings.some(({ askedAt }) => askedAt > before)) await sleep(20);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    clearInterval(this.#ticks);
    await this.#listing;
    for (const sweeper of this.#sweepers) sweeper.kill('SIGKILL');
    await this.#crowd[Symbol.asyncDispose]();
    await this.server.stop();
    for (const way of [this.botsWay, this.#sweepersWay]) await way[Symbol.asyncDispose]();
    this.#webhooks.closeAllConnections();
    this.#webhooks.close();
  }

  async #protect(name: string): Promise<void> {
    const room = await this.roomNamed(name);
    this.bystanders.push({ name, sid: room.sid, since: now() });
  }

  async #begin(what: PlannedDisturbance['what'], toxics: PlannedDisturbance['toxics']) {
    const { pid = 0 } = this.server;
    switch (what) {
      case 'cut':
        await this.botsWay.poison(toxics);
        return () => this.botsWay.heal();
      case 'sweepers cut':
        await this.#sweepersWay.poison({ down: true });
        return () => this.#sweepersWay.heal();
      case 'LiveKit frozen':
        process.kill(pid, 'SIGSTOP');
        return async () => void process.kill(pid, 'SIGCONT');
      case 'sweepers frozen':
        return freeze(this.#sweepers);
      case 'one sweeper frozen':
        return freeze([this.#otherSweeper]);
      case 'sweepers killed':
        return killNow(this.#sweepers);
      case 'one sweeper killed':
        return killNow([this.#otherSweeper]);
    }
  }

  get #sweepers(): readonly ChaosSweeper[] {
    return [this.#steadySweeper, this.#otherSweeper];
  }

  async #startSweepers(): Promise<void> {
    await Promise.all(this.#sweepers.map((sweeper) => sweeper.start()));
  }

  async #keepListing(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const askedAt = now();
      const rooms = await listRooms(this.server).catch(() => undefined);
      if (rooms !== undefined) {
        const sids = new Map(rooms.map(({ name, sid }) => [name, sid]));
        this.listings.push({ askedAt, answeredAt: now(), rooms: sids });
      }
      await sleep(listEveryMs);
    }
  }
}

/** These two begin it, and give what ends it. */
function freeze(sweepers: readonly ChaosSweeper[]): () => Promise<void> {
  for (const sweeper of sweepers) sweeper.kill('SIGSTOP');
  return async () => {
    for (const sweeper of sweepers) sweeper.kill('SIGCONT');
  };
}

function killNow(sweepers: readonly ChaosSweeper[]): () => Promise<void> {
  for (const sweeper of sweepers) sweeper.kill('SIGKILL');
  return async () => void (await Promise.all(sweepers.map((sweeper) => sweeper.start())));
}

/** What the run itself asks of LiveKit, which may be frozen. */
async function whenAnswered<T>(ask: () => Promise<T>, tries = 5): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (tries <= 1) throw error;
    return whenAnswered(ask, tries - 1);
  }
}

interface Webhooks {
  readonly server: Server;
  readonly url: string;
  readonly finished: ChaosHistory['finished'][number][];
}

async function listenToWebhooks(): Promise<Webhooks> {
  const finished: Webhooks['finished'] = [];
  const server = createServer(async (request, response) => {
    const { event, room } = JSON.parse(await text(request));
    if (event === 'room_finished') finished.push({ name: room.name, sid: room.sid, at: now() });
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, finished };
}
