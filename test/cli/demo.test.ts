import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';

const describeWithMedia = await describeWith('livekit-server', '@livekit/rtc-node');

/** As it is installed: `npm run build` makes it. */
const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** `endframe ...args`, and what it prints, without colours. */
async function endframe(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      printed[name] += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code, ...printed, lines: printed.stdout.split('\n') };
}

/** An environment in which there is no LiveKit server and no way to get one. */
async function withoutServer(): Promise<NodeJS.ProcessEnv> {
  const empty = await mkdtemp(join(tmpdir(), 'endframe-empty-'));
  onTestFinished(() => rm(empty, { recursive: true, force: true }));
  return { PATH: empty, XDG_CACHE_HOME: empty, LIVEKIT_URL: undefined };
}

/** A Node option that makes the media SDK look as if it were not installed. */
function withoutMediaSdk(): string {
  const hooks = `export function resolve(name, context, next) {
    if (name === '@livekit/rtc-node') throw Object.assign(new Error('not here'), { code: 'ERR_MODULE_NOT_FOUND' });
    return next(name, context);
  }`;
  const register = `import { register } from 'node:module'; register(${JSON.stringify(asUrl(hooks))});`;
  return `--import ${asUrl(register)}`;
}

function asUrl(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

function times(what: RegExp, text: string): number {
  return text.match(new RegExp(what, 'g'))?.length ?? 0;
}

/** What the first call tells, in this order. */
const story = [
  /joined the room endframe-/,
  /joined, in a process of its own/,
  /speaks for 2000 ms/,
  /hears the bot/,
  /EndFrame has come out of the pipeline/,
  /DeleteRoom: deleted/,
];

describeWithMedia('endframe demo', () => {
  it('shows a call that ends and one that is cut, and exits with 0', async () => {
    const { code, stdout, stderr } = await endframe(['demo']);
    expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/^LiveKit server at ws/);
    expect(stdout).not.toMatch(/FAILED/);
    const [, first = '', second = ''] = stdout.split('\nA call that ');
    const places = story.map((step) => first.search(step));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((one, other) => one - other));
    for (const call of [first, second]) {
      expect(call).toMatch(/DeleteRoom: deleted \(status 200\), 1 request, \d+ ms/);
      expect(call).toMatch(/caller +disconnected with ROOM_DELETED/);
      expect(call).toMatch(/the room is gone from the server’s list/);
    }
    const heardMs = (call: string): number => Number(/caller +heard (\d+) ms/.exec(call)?.[1]);
    expect(heardMs(first)).toBeGreaterThan(promised(1_900, 1_400));
    expect(heardMs(second)).toBeGreaterThan(0);
    expect(heardMs(second)).toBeLessThan(8_000);
  });
});

describe('endframe demo', () => {
  it('says what is missing without a LiveKit server, and shows the cleanup all the same', async () => {
    const { code, lines, stdout, stderr } = await endframe(['demo'], await withoutServer());
    expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
    expect(lines[0]).toMatch(/without media.*simulated.*livekit-server/i);
    expect(lines[0]).toMatch(/LIVEKIT_URL.*PATH.*Go/);
    expectBothCalls(stdout);
  });

  it('says what is missing without the media SDK, and shows the cleanup all the same', async () => {
    const { code, lines, stdout, stderr } = await endframe(['demo'], {
      NODE_OPTIONS: withoutMediaSdk(),
    });
    expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
    expect(lines[0]).toMatch(/without media.*simulated.*@livekit\/rtc-node.*npm install @livekit\/rtc-node/i);
    expectBothCalls(stdout);
  });

  function expectBothCalls(stdout: string): void {
    expect(stdout).toMatch(/ends with EndFrame[\s\S]*ends with CancelFrame/);
    expect(times(/caller +disconnected with ROOM_DELETED/, stdout)).toBe(2);
    expect(times(/DeleteRoom: deleted/, stdout)).toBe(2);
    expect(stdout).not.toMatch(/FAILED/);
  }
});
