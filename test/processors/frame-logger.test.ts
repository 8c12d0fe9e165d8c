import { describe, expect, it, vi } from 'vitest';
import { InputAudioRawFrame } from '../../src/frames/audio.ts';
import { EndFrame, StartFrame } from '../../src/frames/lifecycle.ts';
import { BotSpeakingFrame, TTSStartedFrame } from '../../src/frames/speaking.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { FrameLogger, type FrameLoggerOptions } from '../../src/processors/frame-logger.ts';
import { runTest } from '../../src/testing/run-test.ts';

const sound = new InputAudioRawFrame({ audio: new Int16Array(160), sampleRate: 16_000, numChannels: 1 });

function setup(options: FrameLoggerOptions = {}) {
  const debug = vi.fn();
  const info = vi.fn();
  const logger = { ...silentLogger, debug, info };
  return { debug, info, logger, processor: new FrameLogger({ logger, ...options }) };
}

describe('FrameLogger', () => {
  it('writes a line for each frame, and passes it', async () => {
    const { processor, debug } = setup();
    const text = new TextFrame('hello');
    text.metadata.turn = 3;
    await runTest(processor, { framesToSend: [text], expectedDownFrames: [TextFrame] });
    expect(debug).toHaveBeenCalledTimes(3);
    expect(debug).toHaveBeenCalledWith(
      { frame: text.name, direction: 'downstream', text: 'hello', metadata: { turn: 3 } },
      'frame',
    );
  });

  it('writes the direction', async () => {
    const { processor, debug } = setup();
    await runTest(processor, { framesToSend: [new TTSStartedFrame()], framesToSendDirection: 'upstream' });
    expect(debug).toHaveBeenCalledWith(expect.objectContaining({ direction: 'upstream' }), 'frame');
  });

  it('is silent about sound and speaking', async () => {
    const { processor, debug } = setup({ ignored: [StartFrame, EndFrame] });
    const quiet = setup();
    await runTest(quiet.processor, { framesToSend: [sound, new BotSpeakingFrame()] });
    expect(quiet.debug).toHaveBeenCalledTimes(2);
    await runTest(processor, { framesToSend: [sound] });
    expect(debug).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ audio: '320 bytes', sampleRate: 16_000 }),
      'frame',
    );
  });

  it('takes prefix and level', async () => {
    const { processor, info, debug } = setup({ prefix: 'before the model', level: 'info' });
    await runTest(processor, { framesToSend: [] });
    expect(info).toHaveBeenCalledWith(expect.anything(), 'before the model');
    expect(debug).not.toHaveBeenCalled();
  });

  it("writes to the task's logger by default", async () => {
    const { logger, debug } = setup();
    await runTest(new FrameLogger(), { framesToSend: [], taskOptions: { logger } });
    expect(debug).toHaveBeenCalledWith(expect.anything(), 'frame');
  });
});
