/** A web server for one test, which answers as it is told and remembers what it was asked. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

export interface ReceivedRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answer = (response: ServerResponse, request: ReceivedRequest) => void;

export interface MisbehavingServer {
  readonly url: string;
  readonly requests: ReceivedRequest[];
  close(): Promise<void>;
}

const running = new Set<MisbehavingServer>();
// not after each test: they may run beside each other
afterAll(async () => {
  await Promise.all([...running].map((server) => server.close()));
});

/** Gives the first answer to the first request, and so on; the last one to all that follow. */
export async function serve(...answers: Answer[]): Promise<MisbehavingServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const index = Math.min(requests.length, answers.length - 1);
    const { method, url, headers } = incoming;
    const place = requests.push({ method, url, headers, body: '' }) - 1;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const request = { method, url, headers, body: Buffer.concat(chunks).toString() };
    requests[place] = request;
    answers[index]?.(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    running.delete(self);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const { port } = server.address() as AddressInfo;
  const self: MisbehavingServer = { url: `http://127.0.0.1:${port}`, requests, close };
  running.add(self);
  return self;
}

export const answers =
  (status: number, body: string | Buffer = '', headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, headers).end(body);
  };

const json = { 'Content-Type': 'application/json' };
const listsNothing = answers(200, '{"rooms":[],"participants":[]}', json);
const isListing = ({ url }: ReceivedRequest): boolean => url?.includes('/List') ?? false;

const deletes = answers(200, '{}', json);
export const confirms: Answer = (response, request) =>
  (isListing(request) ? listsNothing : deletes)(response, request);

const notFound = answers(
  404,
  '{"code":"not_found","msg":"twirp error unknown: requested room does not exist"}',
);
export const knowsNoSuchRoom: Answer = (response, request) =>
  (isListing(request) ? listsNothing : notFound)(response, request);
export const neverAnswers: Answer = () => {};
export const resets: Answer = (response) => void response.socket?.resetAndDestroy();

export const answersAfter =
  (ms: number, answer: Answer): Answer =>
  (response, request) => {
    setTimeout(() => answer(response, request), ms);
  };

/** Announces more than it sends, then stays silent. */
export const stallsInTheBody: Answer = (response) => {
  response.writeHead(200, { 'Content-Length': 100 }).write('{"half":');
};

export const resetsInTheBody =
  (status = 200): Answer =>
  (response) => {
    response.writeHead(status, { 'Content-Length': 100 }).write('{"half":');
    setTimeout(() => response.socket?.resetAndDestroy(), 20);
  };

export const endlessBody =
  (counted: { bytes: number; closed?: boolean } = { bytes: 0 }): Answer =>
  (response) => {
    response.on('close', () => {
      counted.closed = true;
    });
    response.writeHead(200, { 'Content-Type': 'application/json' });
    const chunk = Buffer.alloc(16_384, 'x');
    const more = (): void => {
      while (!response.destroyed) {
        counted.bytes += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
    };
    more();
  };

export const speaksNoHttp: Answer = (response) => void response.socket?.end('NOT HTTP AT ALL\r\n\r\n');
