import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** Stands in front of a LiveKit server, and does not always let through what deletes a room. */
export interface FlakyProxy extends AsyncDisposable {
  readonly port: number;
}

/** Refuses the first deletions of rooms with `flaky` in their name with 503; everything else passes. */
export async function startFlakyProxy(httpUrl: string, refusals = 2): Promise<FlakyProxy> {
  const { hostname, port } = new URL(httpUrl);
  const refused = new Map<string, number>();
  const sockets = new Set<Socket>();

  const isRefused = (path: string, body: Buffer): boolean => {
    if (!path.endsWith('/DeleteRoom')) return false;
    // the official SDK sends JSON too
    const room = /"room"\s*:\s*"([^"]*)"/.exec(body.toString())?.[1] ?? '';
    const count = refused.get(room) ?? 0;
    refused.set(room, count + 1);
    return room.includes('flaky') && count < refusals;
  };

  const onRequest = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await incoming.toArray());
    if (isRefused(incoming.url ?? '', body)) {
      response.writeHead(503, { 'content-type': 'application/json' });
      response.end('{"code":"unavailable","msg":"out of order on purpose"}');
      return;
    }
    const { method, url: path, headers } = incoming;
    const onward = request({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    onward.end(body);
  };

  const server = createServer((incoming, response) => {
    onRequest(incoming, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('upgrade', ({ method, url, rawHeaders }, socket, head) => {
    const onward = connect(Number(port), hostname, () => {
      const lines = rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`));
      onward.write(`${method} ${url} HTTP/1.1\r\n${lines.join('')}\r\n`);
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
