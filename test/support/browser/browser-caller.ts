/** A caller with a real browser: Chromium without a window, a page with livekit-client, a tone for a microphone. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type SupervisedProcess, startSupervised } from '../../../src/testing/supervised-process.ts';
import { toneWav } from './tone-wav.ts';

/** What the page tells; see page.js. */
export interface PageEvent {
  readonly event: 'joined' | 'speaks' | 'listens' | 'heard' | 'disconnected' | 'failed';
  readonly [fact: string]: unknown;
}

export interface BrowserCallerOptions {
  readonly url: string;
  readonly token: string;
  /** What its microphone hears, in hertz. */
  readonly microphoneHz: number;
}

/** Settles with what it says of itself; rejects where there is none. */
export async function chromiumVersion(): Promise<string> {
  try {
    return (await promisify(execFile)('chromium', ['--version', '--no-sandbox'])).stdout;
  } catch {
    throw new Error('install it, such as by test/support/install-services.sh');
  }
}

/** A browser in a room, seen from the test that started it. */
export class BrowserCaller implements AsyncDisposable {
  readonly events: PageEvent[] = [];
  readonly #call: Pick<BrowserCallerOptions, 'url' | 'token'>;
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  readonly #watchers = new Set<() => void>();
  #browser: SupervisedProcess | undefined;
  #profile: string | undefined;

  private constructor(call: Pick<BrowserCallerOptions, 'url' | 'token'>) {
    this.#call = call;
  }

  /** Starts it; the page joins by itself. */
  static async start({ microphoneHz, ...call }: BrowserCallerOptions): Promise<BrowserCaller> {
    const caller = new BrowserCaller(call);
    await caller.#start(microphoneHz);
    return caller;
  }

  /**
   * Resolves with the first such event, also when it came earlier.
   *
   * @throws {Error} The time is over, or the page failed; the text tells what it told.
   */
  waitFor(name: PageEvent['event'], timeoutMs = 200_000): Promise<PageEvent> {
    return new Promise((resolve, reject) => {
      const settle = (done: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        done();
      };
      const fail = (): void => {
        const told = this.events.map((event) => JSON.stringify(event)).join('\n');
        settle(() => reject(new Error(`No "${name}" from the page. It told:\n${told}`)));
      };
      const look = (): void => {
        const found = this.events.find(({ event }) => event === name);
        if (found !== undefined) settle(() => resolve(found));
        else if (this.events.at(-1)?.event === 'failed') fail();
      };
      const timer = setTimeout(fail, timeoutMs);
      this.#watchers.add(look);
      look();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser?.kill();
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#profile !== undefined) await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async #start(microphoneHz: number): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    this.#profile = await mkdtemp(join(tmpdir(), 'endframe-browser-'));
    const microphone = join(this.#profile, 'microphone.wav');
    await writeFile(microphone, toneWav(microphoneHz));
    if (!this.#server.listening) await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    const page = `http://127.0.0.1:${port}/`;
    const { PATH } = process.env;
    this.#browser = await startSupervised('chromium', chromiumArgs(this.#profile, microphone, page), {
      env: { PATH, HOME: this.#profile },
    });
    this.#browser.unref();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/events') {
      const chunks: Buffer[] = await request.toArray();
      this.events.push(JSON.parse(Buffer.concat(chunks).toString()));
      for (const look of [...this.#watchers]) look();
      response.end();
    } else if (request.url === '/call') {
      response.end(JSON.stringify(this.#call));
    } else {
      const [file, type] = files[request.url ?? ''] ?? [];
      if (file === undefined) return void response.writeHead(404).end();
      response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(await readFile(file));
    }
  }
}

/** What the page's server has to give. */
const files: Record<string, readonly [file: string | URL, type: string]> = {
  '/': [new URL('./page.html', import.meta.url), 'text/html'],
  '/page.js': [new URL('./page.js', import.meta.url), 'text/javascript'],
  '/livekit-client.js': [createRequire(import.meta.url).resolve('livekit-client'), 'text/javascript'],
};

function chromiumArgs(profile: string, microphone: string, page: string): string[] {
  return [
    '--headless=new',
    // root has no sandbox, and in a container /dev/shm may be too small
    '--no-sandbox',
    '--disable-dev-shm-usage',
    '--disable-gpu',
    '--no-first-run',
    `--user-data-dir=${profile}`,
    '--autoplay-policy=no-user-gesture-required',
    '--disable-background-timer-throttling',
    // a machine without a sound card
    '--disable-audio-output',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-audio-capture=${microphone}`,
    page,
  ];
}
