/** What is true of a real worker with real jobs, for every supported version; two test files run it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentsWorld, type Call, type CallOptions } from './agents-world.ts';
import { typeErrors } from './check-types.ts';
import { installAgents } from './install-agents.ts';

/** From the end of the job to the room's: a second when nothing else runs, more when every core is busy. */
const soonMs = 15_000;
/** How long a room that stays is watched, after its job has told that it is over. */
const watchMs = 2_000;
const caseMs = 400_000;

interface Story {
  readonly title: string;
  readonly story: string;
  /** What the job tells at the moment at which it is over, with or without endframe. */
  readonly over: string;
  readonly ends: 'end' | 'cancel';
  /** Whether somebody else stays who is not the one the session talks to. */
  readonly withBob?: boolean;
  /** What the job tells before something happens to it from outside. Default: `started`. */
  readonly ready?: string;
  readonly outside?: (call: Call) => Promise<unknown>;
}

const adaLeaves = (call: Call): Promise<void> => call.ada.leave();

/** Each reason for which a session closes, then what ends a job besides. */
const stories: readonly Story[] = [
  { title: 'the session closes', story: 'session-closes', over: 'closed: user_initiated', ends: 'end' },
  {
    title: 'the session shuts down with the job',
    story: 'session-shuts-down',
    over: 'closed: job_shutdown',
    ends: 'end',
  },
  {
    title: 'the session shuts down for a reason of its own',
    story: 'session-says-why',
    over: 'closed: said goodbye',
    ends: 'end',
  },
  { title: 'the session fails', story: 'model-fails', over: 'closed: error', ends: 'cancel' },
  {
    title: 'the linked participant leaves and another stays',
    story: 'waits',
    over: 'closed: participant_disconnected',
    ends: 'end',
    withBob: true,
    outside: adaLeaves,
  },
  { title: 'the job shuts down', story: 'job-shuts-down', over: 'shut down', ends: 'end' },
  { title: 'another shutdown callback rejects', story: 'callback-rejects', over: 'shut down', ends: 'end' },
  { title: 'the close of the session rejects', story: 'close-rejects', over: 'closed: ', ends: 'end' },
  { title: 'the entry function throws', story: 'entry-throws', over: 'shut down', ends: 'end' },
  { title: 'it throws before it joins', story: 'entry-throws-early', over: 'shut down', ends: 'end' },
  { title: 'something throws uncaught', story: 'uncaught', over: 'started', ends: 'cancel' },
  {
    title: 'the linked participant is removed, where absence counts',
    story: 'removed',
    over: 'started',
    ends: 'end',
    withBob: true,
    outside: (call) => call.removes('ada'),
  },
  {
    title: 'the caller leaves before a session has started, where absence counts',
    story: 'never-starts',
    over: 'joined',
    ends: 'end',
    withBob: true,
    ready: 'joined',
    outside: adaLeaves,
  },
];

const table = stories.map((story) => [story.title, story] as const);

interface World {
  call(story: string, cleanup: string, options?: CallOptions): Promise<Call>;
  killWorker(): void;
}

/** A world for the tests of a `describe`; calls end with their test. */
export function useWorld(version: () => Promise<string>): World {
  let world: AgentsWorld;
  const calls: Call[] = [];
  beforeAll(async () => {
    world = await AgentsWorld.start(await installAgents(await version()));
  }, 15 * 60_000);
  afterAll(async () => {
    await Promise.all(calls.map((call) => call.end()));
    await world?.[Symbol.asyncDispose]();
  });
  return {
    call: async (...args) => {
      const call = await world.call(...args);
      calls.push(call);
      return call;
    },
    killWorker: () => world.killWorker(),
  };
}

export async function isDeletedWithEverybodyInside(call: Call): Promise<void> {
  expect(await call.isGoneWithin(soonMs)).toBe(true);
  const { reason } = await (call.bob ?? call.ada).waitFor('disconnected', { timeoutMs: soonMs });
  expect(reason).toBe('ROOM_DELETED');
}

export async function stays(call: Call, over: string): Promise<void> {
  await call.tells(over);
  expect(await call.isGoneWithin(watchMs)).toBe(false);
}

/** What users write with the installation's types compiles against our structural ones. */
export async function hasTypesThatFit(version: () => Promise<string>): Promise<void> {
  expect(await typeErrors(await installAgents(await version()))).toBe('');
}

/** All stories, with endframe and without, against one version. */
export function describeRealWorker(
  title: string,
  version: () => Promise<string>,
  { endCallTool }: { readonly endCallTool: boolean },
): void {
  describe(title, () => {
    const world = useWorld(version);

    async function play(
      { story, outside, ready = 'started', withBob = false }: Story,
      cleanup: string,
    ): Promise<Call> {
      const call = await world.call(story, cleanup, { withBob });
      if (outside === undefined) return call;
      await call.tells(ready);
      await outside(call);
      return call;
    }

    it('has types that fit ours', () => hasTypesThatFit(version), caseMs);

    describe.concurrent('with attachRoomCleanup', () => {
      it.each(table)(
        'the room is gone when %s',
        async (_title, story) => {
          const call = await play(story, 'endframe');
          await isDeletedWithEverybodyInside(call);
          await call.tells(story.over);
          expect(call.told).toContain(`entered ${story.ends}`);
        },
        caseMs,
      );

      it(
        'the room is gone although DeleteRoom fails twice',
        async () => {
          const call = await world.call('session-closes', 'endframe-flaky');
          await isDeletedWithEverybodyInside(call);
          await call.tells('deleted, 3 attempts');
        },
        caseMs,
      );

      it(
        'gets along with deleteRoomOnClose',
        async () => {
          const call = await world.call('session-closes', 'endframe-builtin');
          await isDeletedWithEverybodyInside(call);
          await call.tells('shut down');
        },
        caseMs,
      );

      it.runIf(endCallTool)(
        'gets along with the end-call tool, also where its deletion fails',
        async () => {
          const calls = await Promise.all([
            world.call('end-call-tool', 'endframe'),
            world.call('end-call-tool', 'endframe-flaky'),
          ]);
          for (const call of calls) {
            await isDeletedWithEverybodyInside(call);
            await call.tells('shut down');
          }
        },
        caseMs,
      );
    });

    describe.concurrent('without it', () => {
      it.each(table)(
        'the room stays when %s',
        async (_title, story) => stays(await play(story, 'plain'), story.over),
        caseMs,
      );

      it(
        'deleteRoomOnClose does it where nothing fails, and gives up at the first failure',
        async () => {
          const [fine, flaky] = await Promise.all([
            world.call('session-closes', 'builtin'),
            world.call('session-closes', 'builtin-flaky'),
          ]);
          expect(await fine.isGoneWithin(soonMs)).toBe(true);
          await stays(flaky, 'closed: user_initiated');
        },
        caseMs,
      );

      it.runIf(endCallTool)(
        'the end-call tool does it where nothing fails, and gives up at the first failure',
        async () => {
          const [fine, flaky] = await Promise.all([
            world.call('end-call-tool', 'plain'),
            world.call('end-call-tool', 'plain-flaky'),
          ]);
          expect(await fine.isGoneWithin(soonMs)).toBe(true);
          await stays(flaky, 'shut down');
        },
        caseMs,
      );
    });

    it(
      'the room is gone when the process of the job is killed, and stays without attachRoomCleanup',
      async () => {
        const [watched, plain] = await Promise.all([
          world.call('killed', 'endframe'),
          world.call('killed', 'plain'),
        ]);
        await isDeletedWithEverybodyInside(watched);
        await stays(plain, 'started');
      },
      caseMs,
    );

    it(
      'the room stays while the job loads for longer than its guardian is patient, and is gone when it is stuck later',
      async () => {
        const call = await world.call('loads', 'endframe');
        await call.tells('started');
        expect(call.ada.events.map(({ event }) => event)).not.toContain('disconnected');
        await isDeletedWithEverybodyInside(call);
      },
      caseMs,
    );

    it(
      'the room is gone when the worker is killed, and stays without attachRoomCleanup',
      async () => {
        const [watched, plain] = await Promise.all([
          world.call('waits', 'endframe'),
          world.call('waits', 'plain'),
        ]);
        await Promise.all([watched.tells('started'), plain.tells('started')]);
        world.killWorker();
        await isDeletedWithEverybodyInside(watched);
        await sleep(watchMs);
        expect(await plain.isGoneWithin(1)).toBe(false);
      },
      caseMs,
    );
  });
}
