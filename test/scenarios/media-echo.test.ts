/** How long a caller waits for an echo of their own voice, and how much of that is ours. */

import type { AudioSource } from '@livekit/rtc-node';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { type AudioChunk, OutputAudioRawFrame, UserAudioRawFrame } from '../../src/frames/audio.ts';
import type { Frame, FrameDirection } from '../../src/frames/frame.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { FrameProcessor } from '../../src/processors/frame-processor.ts';
import { HeardAudio } from '../../src/testing/heard-audio.ts';
import type { LiveKitServer } from '../../src/testing/start-livekit-server.ts';
import { LiveKitTransport } from '../../src/transports/livekit/livekit-transport.ts';
import { loadRtcNode } from '../../src/transports/livekit/rtc-node.ts';
import { measureEchoes } from '../support/echo-caller.ts';
import { median } from '../support/median.mjs';
import { promised } from '../support/promised.ts';
import { describeWith } from '../support/requirements.ts';
import { roomExists } from '../support/room-service.ts';
import { sharedLiveKit } from '../support/shared-services.ts';
import { joinToken } from '../support/tokens.ts';

const describe = await describeWith('livekit-server', '@livekit/rtc-node');

const beeps = 9;
const chunks20ms = 2;
const outHz = 24_000;
const patienceMs = 50_000;

class Echo extends FrameProcessor {
  protected override process(frame: Frame, direction: FrameDirection): void {
    if (frame instanceof UserAudioRawFrame) this.push(new OutputAudioRawFrame(frame));
    else this.push(frame, direction);
  }
}

/** When each sound began: the first of it after a silence. */
class Onsets {
  readonly times: number[] = [];
  readonly #heard = new HeardAudio();
  #lastAt = Number.NEGATIVE_INFINITY;

  add({ audio, sampleRate }: AudioChunk): void {
    const at = performance.now();
    if (!this.#heard.add(audio, sampleRate, at)) return;
    if (at - this.#lastAt > 200) this.times.push(at);
    this.#lastAt = at;
  }
}

describe('an echo', () => {
  let server: LiveKitServer;
  beforeAll(async () => {
    server = await sharedLiveKit();
  });
  afterEach(() => vi.restoreAllMocks());

  // a resampler's filter holds some samples back: a chunk waits for the next frame or two
  it.each([
    ['at one rate', outHz, 25],
    ['from another rate', 16_000, 25 + 2 * 20],
  ])('passes the bot %s in time', async (how, audioInSampleRate, limitMs) => {
    const { url, apiKey, apiSecret } = server;
    const transport = new LiveKitTransport({
      url,
      apiKey,
      apiSecret,
      params: {
        audioInEnabled: true,
        audioInSampleRate,
        audioOutEnabled: true,
        audioOutSampleRate: outHz,
        audioOut10msChunks: chunks20ms,
      },
      logger: silentLogger,
    });
    const task = new PipelineTask(new Pipeline([transport.input(), new Echo(), transport.output()]), {
      logger: silentLogger,
    });
    const [comes, goes] = [new Onsets(), new Onsets()];
    transport.input().frames$.subscribe((frame) => {
      if (frame instanceof UserAudioRawFrame) comes.add(frame);
    });
    transport.output().frames$.subscribe((frame) => {
      if (frame instanceof OutputAudioRawFrame) goes.add(frame);
    });
    const rtc = await loadRtcNode();
    const queuedMs: number[] = [];
    const capture = rtc.AudioSource.prototype.captureFrame;
    vi.spyOn(rtc.AudioSource.prototype, 'captureFrame').mockImplementation(function (
      this: AudioSource,
      frame,
    ) {
      queuedMs.push(this.queuedDuration);
      return capture.call(this, frame);
    });
    const run = task.run();
    const token = await joinToken(server, transport.roomName, 'ada');
    const roundTripsMs = await measureEchoes({ url, token, beeps }, AbortSignal.timeout(patienceMs)).finally(
      () => {
        task.stopWhenDone();
      },
    );
    expect(await run).toMatchObject({ reason: 'ended', forced: false });
    // a beep that is delayed in its middle begins twice
    const firstAfter = (came: number): number => goes.times.find((went) => went >= came) ?? Number.NaN;
    expect(comes.times.length).toBeGreaterThanOrEqual(beeps);
    const ownShareMs = median(comes.times.map((came) => firstAfter(came) - came));
    const roundTripMs = median(roundTripsMs);
    const parts = `the bot ${ownShareMs.toFixed(1)} ms, the SDK's queue ${median(queuedMs).toFixed(0)} ms`;
    console.info(
      `echo ${how}: round trip ${roundTripMs.toFixed(0)} ms, of it ${parts} (medians of ${beeps})`,
    );
    expect(ownShareMs).toBeLessThan(promised(limitMs, 1_000));
    expect(roundTripMs).toBeLessThan(promised(2_000, 5_000));
    expect(await roomExists(server, transport.roomName)).toBe(false);
  });
});
