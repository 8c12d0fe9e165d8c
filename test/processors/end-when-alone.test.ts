import { describe, expect, it, vi } from 'vitest';
import { EndTaskFrame, StopFrame } from '../../src/frames/lifecycle.ts';
import {
  ParticipantJoinedFrame,
  type ParticipantKind,
  ParticipantLeftFrame,
} from '../../src/frames/participants.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { EndWhenAlone, type EndWhenAloneOptions } from '../../src/processors/end-when-alone.ts';
import { passes, useFakeTime } from '../support/fake-time.ts';
import { startPipeline } from '../support/start-pipeline.ts';

async function setup(options?: EndWhenAloneOptions) {
  const processor = new EndWhenAlone(options);
  const pipeline = await startPipeline([processor]);
  const send = async (frame: ParticipantJoinedFrame | ParticipantLeftFrame): Promise<void> => {
    pipeline.task.queueFrame(frame);
    await passes(0);
  };
  return {
    ...pipeline,
    processor,
    joins: (identity: string, kind?: ParticipantKind) => send(new ParticipantJoinedFrame(identity, kind)),
    leaves: (identity: string, kind?: ParticipantKind) => send(new ParticipantLeftFrame(identity, kind)),
    requests: () => pipeline.up.framesOf(EndTaskFrame),
  };
}

describe('EndWhenAlone', () => {
  useFakeTime();

  it('asks the task to end ten seconds after the last participant left', async () => {
    const { joins, leaves, requests, run } = await setup();
    await joins('ada');
    await leaves('ada');
    await passes(9_999);
    expect(requests()).toEqual([]);
    await passes(1);
    expect(requests()).toHaveLength(1);
    expect(await run).toMatchObject({ reason: 'ended', frame: { reason: 'alone in the room' } });
  });

  it('waits for the first participant', async () => {
    const { leaves, requests } = await setup({ graceMs: 5 });
    await leaves('stranger');
    await passes(60_000);
    expect(requests()).toEqual([]);
  });

  it('waits on when somebody comes back in time', async () => {
    const { joins, leaves, requests } = await setup();
    await joins('ada');
    await leaves('ada');
    await passes(9_000);
    await joins('ada');
    await passes(60_000);
    expect(requests()).toEqual([]);
  });

  it('waits for the last one of several', async () => {
    const { joins, leaves, requests } = await setup({ graceMs: 1_000 });
    await joins('ada');
    await joins('bob');
    await leaves('ada');
    await passes(60_000);
    expect(requests()).toEqual([]);
    await leaves('bob');
    await passes(1_000);
    expect(requests()).toHaveLength(1);
  });

  it.each(['agent', 'egress', 'ingress'])('is alone with a machine: %s', async (kind) => {
    const { joins, leaves, requests } = await setup({ graceMs: 1_000 });
    await joins('machine', kind);
    await joins('ada', 'sip');
    await leaves('ada', 'sip');
    await passes(1_000);
    expect(requests()).toHaveLength(1);
  });

  it('stays with a caller whom a machine has left', async () => {
    const { joins, leaves, requests } = await setup({ graceMs: 1_000 });
    await joins('avatar', 'agent');
    await leaves('avatar', 'agent');
    await passes(60_000);
    await joins('ada');
    await joins('avatar', 'agent');
    await leaves('avatar', 'agent');
    await passes(60_000);
    expect(requests()).toEqual([]);
  });

  it('takes kinds that it does not know for people', async () => {
    const { joins, leaves, requests } = await setup({ graceMs: 1_000 });
    await joins('ada', 'connector');
    await passes(60_000);
    await leaves('ada', 'connector');
    await passes(1_000);
    expect(requests()).toHaveLength(1);
  });

  it('counts machines where it is told to', async () => {
    const { joins, leaves, requests } = await setup({ graceMs: 1_000, company: 'everybody' });
    await joins('other bot', 'agent');
    await joins('ada');
    await leaves('ada');
    await passes(60_000);
    expect(requests()).toEqual([]);
    await leaves('other bot', 'agent');
    await passes(1_000);
    expect(requests()).toHaveLength(1);
  });

  it('counts the time from when the last one left', async () => {
    const { joins, leaves, requests } = await setup({ graceMs: 1_000 });
    await joins('ada');
    await leaves('ada');
    await passes(600);
    await leaves('ada');
    await passes(400);
    expect(requests()).toHaveLength(1);
  });

  it('leaves no timer behind', async () => {
    const { joins, leaves, task, run } = await setup();
    await joins('ada');
    await leaves('ada');
    task.cancel();
    await run;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('remembers who is there over a StopFrame', async () => {
    const { joins, leaves, task, run, processor } = await setup();
    await joins('ada');
    await leaves('ada');
    task.queueFrame(new StopFrame());
    await run;
    expect(vi.getTimerCount()).toBe(0);
    const again = await startPipeline([processor]);
    await passes(10_000);
    expect(again.up.framesOf(EndTaskFrame)).toHaveLength(1);
  });

  it('accepts no grace period at all', async () => {
    const { joins, leaves, requests } = await setup({ graceMs: 0 });
    await joins('ada');
    await leaves('ada');
    await passes(1);
    expect(requests()).toHaveLength(1);
  });

  it('refuses company that there is not', () => {
    expect(() => new EndWhenAlone({ company: 'agents' as never })).toThrow(InvalidOptionError);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a grace period of %s', (graceMs) => {
    expect(() => new EndWhenAlone({ graceMs })).toThrow(InvalidOptionError);
  });
});
