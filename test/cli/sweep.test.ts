import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { printable, sweepArguments, sweepCommand, sweepTable } from '../../src/cli/sweep.ts';
import { sleep, useVirtualTime } from '../support/fake-time.ts';
import { LiveKitByFetch } from './livekit-by-fetch.ts';

vi.mock('../../src/rooms/rest/access-token.ts', async () => {
  const { SignerAtOnce } = await import('./livekit-by-fetch.ts');
  return { AccessTokenSigner: SignerAtOnce };
});

const fast = ['--poll', '0.15', '--ttl', '0.6', '--grace', '0.6'];

describe('endframe sweep', () => {
  useVirtualTime();

  let livekit: LiveKitByFetch;
  beforeEach(() => {
    livekit = new LiveKitByFetch();
    const marked = { metadata: '{"endframe":true}' };
    livekit.rooms.create('agents-orphan', marked);
    livekit.rooms.create('agents-unmarked');
    const live = livekit.rooms.create('agents-live', marked);
    livekit.rooms.join(live, 'bot', Date.now(), { agent: true });
    livekit.rooms.create('other', marked);
  });
  afterEach(() => void vi.unstubAllGlobals());

  async function run(args: readonly string[], stopped: Promise<unknown> = Promise.resolve()) {
    let out = '';
    let errors = '';
    const code = await sweepCommand([...args], {
      env: {
        LIVEKIT_URL: livekit.url,
        LIVEKIT_API_KEY: livekit.apiKey,
        LIVEKIT_API_SECRET: livekit.apiSecret,
      },
      print: (text) => {
        out += text;
      },
      printError: (text) => {
        errors += text;
      },
      untilStopped: () => stopped,
    });
    expect(out + errors).not.toContain(livekit.apiSecret);
    expect(out + errors).not.toContain('eyJ');
    return { code, out, errors, names: livekit.rooms.all().map(({ name }) => name) };
  }

  it('tells what it would delete and why, and deletes nothing without --yes', async () => {
    const { code, out, errors, names } = await run(['--match', 'agents-', ...fast]);
    // it remains
    expect(code).toBe(3);
    expect(out).toMatch(
      /ROOM +WHY +SILENT +CREATED +OUTCOME\nagents-orphan +bot-gone +1 s .* would be deleted\n/,
    );
    expect(out).toContain('1 with your prefix and without a marker left alone');
    expect(out).toContain('--yes');
    expect(errors).toContain('agents-unmarked');
    expect(names).toHaveLength(4);
  });

  it('deletes orphans, and nothing else, with --yes', async () => {
    const { code, out, names } = await run(['--match', 'agents-', '--yes', '--once', ...fast]);
    expect(code).toBe(0);
    expect(out).toMatch(/agents-orphan .* deleted\n/);
    expect(names).toEqual(['agents-unmarked', 'agents-live', 'other']);
  });

  it('prints one JSON object per line with --json', async () => {
    const { out } = await run(['--match', 'agents-', '--yes', '--json', ...fast]);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([
      { event: 'orphan', roomName: 'agents-orphan', reason: 'bot-gone', status: 'deleted' },
      { event: 'swept', orphans: 1, unmarked: ['agents-unmarked'] },
    ]);
  });

  it('watches until it is stopped', async () => {
    const stopped = sleep(2_500);
    const { code, out, names } = await run(['--match', 'agents-', '--yes', '--watch', ...fast], stopped);
    expect(code).toBe(0);
    expect(out.match(/ROOM/g)).toHaveLength(1);
    expect(names).not.toContain('agents-orphan');
  });

  it('ends with 3 when an orphan remains', async () => {
    livekit.fail({ kind: 'status', status: 403 }, { method: 'DeleteRoom' });
    const { code, out } = await run(['--match', 'agents-', '--yes', ...fast]);
    expect(code).toBe(3);
    expect(out).toContain('could not be deleted');
  });

  it.each(['--once', '--watch'])(
    'ends with 1, without waiting, when LiveKit refuses the keys: %s',
    async (how) => {
      livekit.fail({ kind: 'status', status: 401, body: 'invalid API key' });
      const { code, errors } = await run(['--match', 'agents-', how], new Promise(() => {}));
      expect(code).toBe(1);
      expect(errors).toContain('401');
    },
  );

  it('prints what LiveKit answers without the escapes and marks in it', async () => {
    const body = 'gone\u001B[2J\u202E\u009B1m\nand';
    livekit.fail({ kind: 'status', status: 503, body }, { method: 'ListParticipants' });
    const { errors } = await run(['--match', 'agents-', ...fast]);
    expect(errors).toContain('gone\\u{1b}[2J\\u{202e}\\u{9b}1m\\u{a}and');
    livekit.fail({ kind: 'status', status: 401, body }, { method: 'ListRooms' });
    const refused = await run(['--match', 'agents-', ...fast]);
    expect(refused.code).toBe(1);
    for (const text of [errors, refused.errors]) expect(text).not.toMatch(/[^\P{C}\n]/u);
  });

  it('refuses a Redis URL that is none, and does not quote it', async () => {
    const { code, errors } = await run(['--match', 'a', '--watch', '--redis', 'redis://:pässword@h:none']);
    expect(code).toBe(2);
    expect(errors).toContain('redisUrl');
    expect(errors).not.toContain('pässword');
  });

  it.each([
    [[], '--match'],
    [['--match', ''], '--match'],
    [['--match', '  '], 'prefix'],
    [['--match', 'a', '--once', '--watch'], '--once'],
    [['--match', 'a', '--ttl', 'soon'], '--ttl'],
    [['--match', 'a', '--ttl', '1'], 'leaseTtlMs'],
    [['--match', 'a', '--concurrency', '0'], '--concurrency'],
    [['--match', 'a', '--concurrency', 'many'], '--concurrency'],
    [['--match', 'a', '--redis', 'redis://localhost'], '--redis'],
    [['--match', 'a', '--delete-all'], '--delete-all'],
    [['a'], 'a'],
  ])('refuses %j', async (args, word) => {
    const { code, errors } = await run(args);
    expect(code).toBe(2);
    expect(errors).toContain(word);
  });

  it('names the variable that is missing', async () => {
    let errors = '';
    const nothing = { env: {}, print: () => {}, untilStopped: async () => {} };
    const printError = (text: string): void => {
      errors += text;
    };
    expect(await sweepCommand(['--match', 'a'], { ...nothing, printError })).toBe(2);
    expect(errors).toContain('LIVEKIT_URL');
  });

  it('looks at as many rooms at the same time as it is told to', () => {
    expect(options('--concurrency', '16').concurrency).toBe(16);
    expect(options().concurrency).toBeUndefined();
  });

  it('waits for the list of all rooms longer than for a look', async () => {
    // longer than the three seconds that any other request may take
    livekit.fail({ kind: 'delay', ms: 3_500 }, { method: 'ListRooms', times: 1 });
    const { code, errors } = await run(['--match', 'nobody-']);
    expect(code).toBe(0);
    expect(errors).not.toContain('interrupted');
  });

  it('explains itself', async () => {
    const { code, out } = await run(['--help']);
    expect(code).toBe(0);
    expect(out).toContain('--yes');
  });

  it('takes identities of bots in other languages', () => {
    const { isBot, maxSessionMs, dryRun } = options('--bot', 'py-', '--bot', 'go-', '--max-session', '0');
    const who = (identity: string) => isBot?.({ identity, isAgent: false } as never);
    expect([who('py-1'), who('go-1'), who('ada')]).toEqual([true, true, false]);
    expect([maxSessionMs, dryRun]).toEqual([null, true]);
  });
});

function options(...args: readonly string[]) {
  const asked = sweepArguments(['--match', 'a', ...args]);
  if (asked === 'help' || 'wrong' in asked) throw new Error('refused');
  return asked.options;
}

describe('what it prints', () => {
  it.each([
    ['agents-1', 'agents-1'],
    ['日本-🤖', '日本-🤖'],
    ['two words', '"two words"'],
    ['a\nb', '"a\\nb"'],
    ['a\u202Eb', '"a\\u{202e}b"'],
    ['a\u001B[31mb', '"a\\u001b[31mb"'],
  ])('shows %j as %s', (name, shown) => expect(printable(name)).toBe(shown));

  it('is nothing where there is nothing', () => expect(sweepTable([])).toBe(''));
});
