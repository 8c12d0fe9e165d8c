/** The last words are heard to their end, whatever comes while they are being said. */

import { firstValueFrom, lastValueFrom, take } from 'rxjs';
import { beforeAll, expect, it, vi } from 'vitest';
import { OutputAudioRawFrame } from '../../src/frames/audio.ts';
import { InputDTMFFrame, type KeypadEntry } from '../../src/frames/dtmf.ts';
import type { Frame } from '../../src/frames/frame.ts';
import { InterruptionFrame } from '../../src/frames/interruption.ts';
import { EndFrame } from '../../src/frames/lifecycle.ts';
import { ofFrame } from '../../src/frames/of-frame.ts';
import { ParticipantLeftFrame } from '../../src/frames/participants.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { DTMFAggregator } from '../../src/processors/dtmf-aggregator.ts';
import { EndWhenAlone } from '../../src/processors/end-when-alone.ts';
import type { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';
import type { Caller } from '../../src/testing/caller.ts';
import { FrameRecorder } from '../../src/testing/run-test.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import type { LiveKitTransport } from '../../src/transports/livekit/livekit-transport.ts';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { roomExists } from '../support/room-service.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { call, newTransport, tone } from '../transports/livekit/call.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

/** Long enough for what comes in its middle to come in time on a busy machine. */
const goodbyeMs = 4_000;

/** What comes in the middle, and the frame in front of the output by which it is known to have come. */
type Disturbance = readonly [
  name: string,
  disturb: (transport: LiveKitTransport, inside: FrameProcessor, bob: Caller) => Promise<void>,
  seen: typeof InterruptionFrame | typeof InputDTMFFrame | typeof ParticipantLeftFrame,
];

// the input is silent behind an EndFrame; a processor of the user's need not be
const disturbances: readonly Disturbance[] = [
  ['an interruption', async (_, inside) => inside.push(new InterruptionFrame()), InterruptionFrame],
  [
    'a digit',
    async (transport, inside, bob) => {
      transport.on('dtmfReceived', ({ digit }) => inside.push(new InputDTMFFrame(digit as KeypadEntry)));
      await bob.pressKeys('5');
    },
    // which interrupts nothing behind an EndFrame
    InputDTMFFrame,
  ],
  [
    'a participant who leaves',
    async (transport, inside, bob) => {
      transport.on('participantLeft', ({ identity }) => inside.push(new ParticipantLeftFrame(identity)));
      await bob.leave();
    },
    ParticipantLeftFrame,
  ],
];

describe('row A: a goodbye', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });

  it.each(disturbances)('is heard whole, in spite of %s in its middle', async (_, disturb, frameClass) => {
    const transport = newTransport(server);
    const [ada, bob] = await Promise.all([
      call(server, transport.roomName, 'ada'),
      call(server, transport.roomName, 'bob'),
    ]);
    const inside = new IdentityFilter();
    const beforeOutput = new FrameRecorder();
    const task = new PipelineTask(
      new Pipeline([
        transport.input(),
        inside,
        new DTMFAggregator(),
        new EndWhenAlone(),
        beforeOutput,
        transport.output(),
      ]),
      { logger: silentLogger },
    );
    const started = new Promise<void>((resolve) => task.once('started', resolve));
    const run = task.run();
    await started;
    // of somebody who has said nothing LiveKit tells only every three seconds
    await bob.playTone(440, 100);
    task.queueFrames([...tone(goodbyeMs), new EndFrame('said goodbye')]);
    await ada.waitFor('audioStarted', { where: ({ identity }) => identity === transport.identity });
    await vi.waitFor(() => expect(beforeOutput.framesOf(EndFrame)).toHaveLength(1), 20_000);
    // some turns later the output has it as well
    await lastValueFrom(transport.output().frames$.pipe(ofFrame(OutputAudioRawFrame), take(5)));
    await disturb(transport, inside, bob);
    await vi.waitFor(() => expect(beforeOutput.framesOf<Frame>(frameClass)).not.toEqual([]), 20_000);
    // in its middle, not afterwards
    await firstValueFrom(transport.output().frames$.pipe(ofFrame(OutputAudioRawFrame)));
    expect(await run).toMatchObject({ reason: 'ended', forced: false });
    expect(await ada.waitFor('disconnected')).toMatchObject({ reason: 'ROOM_DELETED' });
    await ada.exited;
    expect((await ada.heard(transport.identity)).heardMs).toBeGreaterThan(
      promised(goodbyeMs - 100, goodbyeMs * 0.7),
    );
    expect(await roomExists(server, transport.roomName)).toBe(false);
  });
});
