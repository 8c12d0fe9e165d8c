/** A TCP proxy in front of a server, with the faults of networks; its switches work on open connections too. */

import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Toxics {
  /** Nobody listens: connections are refused, and those there are break. */
  down: boolean;
  /** Added to each way, in milliseconds. */
  delayMs: number;
  /** What is sent that way vanishes, without an end. */
  blackHole: 'up' | 'down' | undefined;
  /** Breaks the connection with a TCP reset when the first byte comes that way. */
  reset: 'up' | 'down' | undefined;
  /** Breaks the connection after so many bytes of answers. */
  limitBytes: number | undefined;
}

const healthy: Toxics = {
  down: false,
  delayMs: 0,
  blackHole: undefined,
  reset: undefined,
  limitBytes: undefined,
};

export interface TcpProxy extends AsyncDisposable {
  readonly url: string;
  /** Turns faults on, beside those that are. */
  poison(toxics: Partial<Toxics>): Promise<void>;
  heal(): Promise<void>;
  /** Resolves when bytes have met a black hole, a reset or the limit of answers. */
  struck(): Promise<unknown>;
}

export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port: targetPort } = new URL(target);
  let toxics = healthy;
  const strikes = new EventEmitter();
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  };

  const server = createServer((client) => {
    const upstream = track(connect(Number(targetPort), hostname));
    track(client);
    const breakOff = (): void => {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    };
    let answered = 0;
    const pass = (way: 'up' | 'down', from: Socket, to: Socket): void => {
      from.on('data', (bytes) => {
        if (toxics.blackHole === way || toxics.reset === way) {
          strikes.emit('strike');
          if (toxics.reset === way) breakOff();
          return;
        }
        if (way === 'down') answered += bytes.length;
        const tooMany = way === 'down' ? answered - (toxics.limitBytes ?? answered) : 0;
        setTimeout(() => {
          if (to.writable) to.write(bytes.subarray(0, Math.max(0, bytes.length - tooMany)));
          if (tooMany > 0) {
            strikes.emit('strike');
            setTimeout(breakOff, 20);
          }
        }, toxics.delayMs);
      });
      from.on('close', () => setTimeout(() => to.destroy(), toxics.delayMs));
    };
    pass('up', client, upstream);
    pass('down', upstream, client);
  });

  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const port = await listen(0);
  return {
    url: `http://127.0.0.1:${port}`,
    async poison(more) {
      toxics = { ...toxics, ...more };
      if (toxics.down) await close();
    },
    async heal() {
      toxics = healthy;
      if (!server.listening) await listen(port);
    },
    struck: () => once(strikes, 'strike'),
    [Symbol.asyncDispose]: close,
  };
}
