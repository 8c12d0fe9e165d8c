import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { AttachRoomCleanupOptions } from '../../src/livekit-agents/attach-room-cleanup.ts';
import { JobRoomCleanup } from '../../src/livekit-agents/attach-room-cleanup.ts';
import { attachRoomCleanup } from '../../src/livekit-agents.ts';
import { FakeLiveKitServer } from '../../src/testing/fake-livekit-server.ts';
import { FakeJob, FakeProcess, reasons } from './fake-job.ts';

let server: FakeLiveKitServer;
beforeEach(async () => {
  server = await FakeLiveKitServer.start();
});
afterEach(() => server.stop());

const quiet = { logger: silentLogger, guardian: false } as const;
const end = { type: 'close', error: null, createdAt: 0 };

function setup(options: AttachRoomCleanupOptions = {}, { isFakeJob = false } = {}) {
  const { url, apiKey, apiSecret } = server;
  const job = new FakeJob({ url, apiKey, apiSecret }, isFakeJob);
  const session = new EventEmitter();
  const jobProcess = new FakeProcess();
  const { sid } = server.createRoom('assigned');
  job.job = { room: { name: 'assigned', sid } };
  server.join('assigned', 'human');
  server.on('request', ({ call }) => {
    if (call === 'DeleteRoom') job.steps.push('DeleteRoom');
  });
  const cleanup = new JobRoomCleanup(job, { ...quiet, ...options }, jobProcess);
  cleanup.watchSession(session);
  const frames: string[] = [];
  cleanup.lifecycle$.subscribe(({ phase, frame }) => frames.push(`${phase} ${frame.frameRole}`));
  return {
    job,
    jobProcess,
    cleanup,
    frames,
    closes: (reason: string, error: unknown = null) => session.emit('close', { ...end, reason, error }),
    outcome: () => lastValueFrom(cleanup.outcome$),
    roomExists: () => server.rooms.some(({ name }) => name === 'assigned'),
    deletions: () => server.requests.filter(({ call }) => call === 'DeleteRoom').length,
    session,
  };
}

describe('attachRoomCleanup', () => {
  describe('when the session closes', () => {
    it.each(['user_initiated', 'participant_disconnected', 'job_shutdown', 'said goodbye'])(
      'ends the job with an EndFrame for %s, and deletes once the bot has left',
      async (reason) => {
        const { job, frames, closes, outcome, roomExists, cleanup } = setup();
        closes(reason);
        expect(await outcome()).toMatchObject({ status: 'deleted', trigger: 'end', roomName: 'assigned' });
        await job.ends();
        expect(job.steps).toEqual([`shutdown: ${reason}`, 'left', 'callbacks', 'DeleteRoom', 'exit']);
        expect(frames).toEqual(['completed start', 'entered end', 'completed end']);
        expect((await lastValueFrom(cleanup.lifecycle$)).frame).toMatchObject({ reason });
        expect(roomExists()).toBe(false);
      },
    );

    it('sends a CancelFrame for an error, and deletes at once', async () => {
      const { job, frames, closes, outcome, cleanup } = setup();
      job.teardown = 'broken-off';
      const error = new Error('no model');
      closes('error', error);
      expect(await outcome()).toMatchObject({ status: 'deleted', trigger: 'cancel' });
      expect(frames).toEqual(['completed start', 'entered cancel']);
      const { frame } = await firstValueFrom(cleanup.lifecycle$);
      expect(frame).toMatchObject({ frameRole: 'cancel', reason: 'error', metadata: { error } });
    });

    it('deletes with the bot inside when it does not leave in time', async () => {
      const { job, closes, outcome, roomExists } = setup({ leaveTimeoutMs: 30 });
      job.teardown = 'broken-off';
      closes('user_initiated');
      expect(await outcome()).toMatchObject({ status: 'deleted' });
      expect(job.steps).toEqual(['shutdown: user_initiated', 'DeleteRoom']);
      expect(roomExists()).toBe(false);
    });

    it('goes by the first session that closes, also one it is told of later', async () => {
      const { cleanup, closes, outcome } = setup();
      const later = new EventEmitter();
      cleanup.watchSession(later);
      later.emit('close', { ...end, reason: 'first' });
      closes('error');
      expect(await outcome()).toMatchObject({ trigger: 'end' });
    });
  });

  it('deletes in the shutdown callback when no session has closed', async () => {
    const { job, outcome, frames, roomExists } = setup();
    await job.ends();
    expect(roomExists()).toBe(false);
    expect(await outcome()).toMatchObject({ status: 'deleted', trigger: 'end' });
    expect(frames.at(-1)).toBe('completed end');
    expect(job.steps.filter((step) => step.startsWith('shutdown'))).toEqual([]);
  });

  it('has begun to delete before another shutdown callback can cut it off', async () => {
    const { url } = server;
    const job = new FakeJob({ url });
    job.teardown = 'until-first-rejection';
    job.addShutdownCallback(async () => Promise.reject(new Error('rejected first')));
    const deleteRoomByName = async (): Promise<true> => {
      job.steps.push('DeleteRoom');
      return true;
    };
    attachRoomCleanup(job, undefined, { ...quiet, rest: { deleteRoomByName } });
    await job.ends();
    expect(job.steps).toEqual(['left', 'DeleteRoom', 'callbacks', 'exit']);
  });

  it('never rejects and keeps its deadline when DeleteRoom does not answer', async () => {
    const { job, outcome } = setup({ deadlineMs: 150 });
    server.fail({ kind: 'silence' }, { method: 'DeleteRoom' });
    job.teardown = 'until-first-rejection';
    await job.ends();
    // else the limit of an attempt would have ended the first one, and there would be a second
    expect(await outcome()).toMatchObject({ status: 'failed', attempts: 1 });
  });

  it('tries again when DeleteRoom fails', async () => {
    const { job, outcome } = setup();
    server.fail({ kind: 'status', status: 503 }, { method: 'DeleteRoom', times: 2 });
    await job.ends();
    expect(await outcome()).toMatchObject({ status: 'deleted', attempts: 3 });
  });

  it('counts a room that their own option deleted first as a success', async () => {
    const { job, outcome } = setup();
    server.deleteRoom('assigned');
    await job.ends();
    expect(await outcome()).toMatchObject({ status: 'already-gone', attempts: 1 });
  });

  it('sends nothing when the server has deleted the room', async () => {
    const { job, outcome, frames, deletions } = setup();
    job.room.emit('disconnected', reasons.roomDeleted);
    expect(await outcome()).toMatchObject({ status: 'already-gone', attempts: 0 });
    await job.ends();
    expect(deletions()).toBe(0);
    expect(frames.at(-1)).toBe('completed end');
  });

  it('deletes at once when the bot is put out of the room', async () => {
    const { job, outcome } = setup();
    job.room.emit('disconnected', reasons.participantRemoved);
    expect(await outcome()).toMatchObject({ status: 'deleted' });
  });

  it('keeps the room of a bot that was put out by another participant with its identity', async () => {
    const { job, outcome, roomExists } = setup();
    job.room.emit('disconnected', reasons.duplicateIdentity);
    await job.ends();
    expect(await outcome()).toMatchObject({ status: 'kept', attempts: 0 });
    expect(roomExists()).toBe(true);
  });

  it('keeps a room with a human in it when told to', async () => {
    const { job, outcome, roomExists } = setup({ deleteWhen: 'no-humans-left' });
    await job.ends();
    expect(await outcome()).toMatchObject({ status: 'kept' });
    expect(roomExists()).toBe(true);
  });

  it('deletes on demand, once, and asks the job to end', async () => {
    const { job, cleanup, outcome, deletions } = setup();
    expect(await cleanup.deleteRoom()).toMatchObject({ status: 'deleted', trigger: 'manual' });
    expect(await outcome()).toMatchObject({ trigger: 'manual' });
    await job.ends();
    expect(job.steps[1]).toBe('shutdown: room deleted');
    expect(deletions()).toBe(1);
  });

  describe('in the process of the job', () => {
    it('deletes and asks the job to end when the worker is gone', async () => {
      const { job, jobProcess, outcome } = setup();
      jobProcess.emit('disconnect');
      expect(await outcome()).toMatchObject({ status: 'deleted', trigger: 'cancel' });
      expect(job.steps).toContain('shutdown: the worker is gone');
    });

    it('deletes after an uncaught exception, then exits with 1 as Node does', async () => {
      const { jobProcess, outcome } = setup();
      jobProcess.emit('uncaughtException', new Error('nobody caught it'));
      expect(jobProcess.exitCodes).toEqual([]);
      expect(await outcome()).toMatchObject({ status: 'deleted', trigger: 'cancel' });
      await vi.waitFor(() => expect(jobProcess.exitCodes).toEqual([1]));
    });

    it('exits also when the bot cannot leave', async () => {
      const { job, jobProcess, outcome } = setup();
      job.teardown = 'broken-off';
      jobProcess.emit('uncaughtException', new Error('nobody caught it'));
      await outcome();
      await vi.waitFor(() => expect(jobProcess.exitCodes).toEqual([1]));
    });

    it('leaves the exit to others who listen', async () => {
      const { jobProcess, outcome } = setup();
      jobProcess.on('uncaughtException', () => {});
      jobProcess.emit('uncaughtException', new Error('somebody else decides'));
      await outcome();
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(jobProcess.exitCodes).toEqual([]);
    });

    it('leaves no listeners behind', async () => {
      const { job, jobProcess, session, outcome } = setup({ absenceGraceMs: 1_000 });
      await job.ends();
      await outcome();
      const emitters = [jobProcess, session, job.room];
      await vi.waitFor(() => expect(emitters.flatMap((emitter) => emitter.eventNames())).toEqual([]));
    });
  });

  describe('for somebody who drops out', () => {
    it('ends the job after the grace time', async () => {
      const { job, outcome, cleanup } = setup({ absenceGraceMs: 20 });
      job.room.joins('ada');
      job.room.joins('bob');
      job.room.leaves('ada');
      expect(await outcome()).toMatchObject({ status: 'deleted', trigger: 'end' });
      expect((await lastValueFrom(cleanup.lifecycle$)).frame).toMatchObject({ reason: 'participant absent' });
    });

    it('does not unless asked to', async () => {
      const { job, frames } = setup();
      job.room.joins('ada');
      job.room.leaves('ada');
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(frames).toEqual(['completed start']);
    });
  });

  describe('takes from the job', () => {
    it('the assigned room, before it has connected, and whatever becomes of the context', async () => {
      const { job, outcome } = setup();
      job.room.connects('another');
      job.job = { room: { name: 'a third' } };
      await job.ends();
      expect(await outcome()).toMatchObject({ status: 'deleted', roomName: 'assigned' });
    });

    it('the assigned room, whatever the bot has connected to', async () => {
      const { url, apiKey, apiSecret } = server;
      const job = new FakeJob({ url, apiKey, apiSecret });
      job.room.connects('another');
      const { outcome$ } = attachRoomCleanup(job, undefined, quiet);
      await job.ends();
      expect(await lastValueFrom(outcome$)).toMatchObject({ roomName: 'assigned' });
    });

    it('who the bot is, and does not count it', async () => {
      const { url, apiKey, apiSecret } = server;
      const job = new FakeJob({ url, apiKey, apiSecret, acceptArguments: { identity: 'bot' } });
      job.teardown = 'broken-off';
      server.join('assigned', 'bot');
      const options = { ...quiet, deleteWhen: 'no-humans-left', leaveTimeoutMs: 20 } as const;
      const session = new EventEmitter();
      const { outcome$ } = attachRoomCleanup(job, session, options);
      session.emit('close', { ...end, reason: 'user_initiated' });
      expect(await lastValueFrom(outcome$)).toMatchObject({ status: 'deleted' });
    });

    it('which participant the bot is, and counts another one with its identity', async () => {
      const { url, apiKey, apiSecret } = server;
      const job = new FakeJob({ url, apiKey, apiSecret, acceptArguments: { identity: 'bot' } });
      const { sid } = server.join('assigned', 'bot', { agent: true });
      const { outcome$ } = attachRoomCleanup(job, undefined, { ...quiet, deleteWhen: 'no-agents-left' });
      job.room.localParticipant = { sid };
      job.room.connects('assigned');
      server.join('assigned', 'bot', { agent: true });
      await job.ends();
      expect(await lastValueFrom(outcome$)).toMatchObject({ status: 'kept' });
    });

    it('the connected room when none was assigned', async () => {
      const { url, apiKey, apiSecret } = server;
      const job = new FakeJob({ url, apiKey, apiSecret });
      job.job = { room: { name: '' } };
      job.room.connects('connected');
      const { outcome$ } = attachRoomCleanup(job, undefined, quiet);
      await job.ends();
      expect(await lastValueFrom(outcome$)).toMatchObject({ roomName: 'connected' });
    });

    it('URL, key and secret, or the LiveKit variables where it has none', async () => {
      vi.stubEnv('LIVEKIT_URL', server.url);
      vi.stubEnv('LIVEKIT_API_KEY', server.apiKey);
      vi.stubEnv('LIVEKIT_API_SECRET', server.apiSecret);
      const job = new FakeJob({ url: '', apiKey: '' });
      server.createRoom('assigned');
      const { outcome$ } = attachRoomCleanup(job, undefined, quiet);
      await job.ends();
      expect(await lastValueFrom(outcome$)).toMatchObject({ status: 'deleted' });
      vi.unstubAllEnvs();
    });

    it('nothing where everything is given, also without a job', async () => {
      const { url, apiKey, apiSecret } = server;
      const session = new EventEmitter();
      server.createRoom('mine');
      const options = { ...quiet, roomName: 'mine', url, apiKey, apiSecret };
      const { outcome$, lifecycle$ } = attachRoomCleanup(undefined, session, options);
      const events = lastValueFrom(lifecycle$.pipe(toArray()));
      session.emit('close', { ...end, reason: 'user_initiated' });
      expect(await lastValueFrom(outcome$)).toMatchObject({ status: 'deleted', roomName: 'mine' });
      expect((await events).map(({ phase }) => phase)).toEqual(['completed', 'entered', 'completed']);
    });
  });

  describe('when the conversation begins', () => {
    const calls = () => server.requests.map(({ call }) => call);

    it.each<[how: string, begins: (world: ReturnType<typeof setup>) => void]>([
      ['the bot has connected', ({ job }) => job.room.connects('assigned')],
      ['the session has started', ({ session }) => session.emit('agent_state_changed')],
    ])('proves the credentials once %s, and only then', async (_how, begins) => {
      const world = setup();
      await sleep(50);
      expect(calls()).toEqual([]);
      begins(world);
      begins(world);
      await vi.waitFor(() => expect(calls()).not.toEqual([]));
      await sleep(50);
      expect(calls()).toEqual(['ListRooms']);
    });

    it('proves them at once where the bot has connected before', async () => {
      const { url, apiKey, apiSecret } = server;
      const job = new FakeJob({ url, apiKey, apiSecret });
      job.room.connects('assigned');
      attachRoomCleanup(job, undefined, quiet);
      await vi.waitFor(() => expect(calls()).toContain('ListRooms'));
    });
  });

  it('does nothing in console mode, where it needs no credentials', async () => {
    const job = new FakeJob({ url: '' }, true);
    job.job = {};
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const options = { logger, guardian: true };
    const { outcome$, lifecycle$ } = attachRoomCleanup(job, undefined, options);
    await job.ends();
    expect(await lastValueFrom(outcome$)).toMatchObject({ status: 'kept', attempts: 0 });
    expect(logger.warn).not.toHaveBeenCalled();
    expect((await lastValueFrom(lifecycle$)).frame.frameRole).toBe('end');
    expect(server.requests).toEqual([]);
  });

  it.each<[option: string, options: AttachRoomCleanupOptions]>([
    ['roomName', { roomName: '' }],
    ['apiUrl', { url: 'not a URL' }],
    ['apiKey', { apiKey: '' }],
    ['leaveTimeoutMs', { leaveTimeoutMs: 0 }],
    ['absenceGraceMs', { absenceGraceMs: -1 }],
    ['participantIdentity', { participantIdentity: '' }],
    ['deadlineMs', { deadlineMs: Number.NaN }],
  ])('refuses a %s that can never work, before anything runs', (option, options) => {
    const { url, apiKey, apiSecret } = server;
    const job = new FakeJob({ url, apiKey, apiSecret });
    const attach = () => attachRoomCleanup(job, undefined, { ...quiet, ...options });
    expect(attach).toThrow(InvalidOptionError);
    expect(attach).toThrow(`"${option}"`);
    expect(job.room.eventNames()).toEqual([]);
  });
});
