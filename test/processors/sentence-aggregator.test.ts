import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { TTSAudioRawFrame } from '../../src/frames/audio.ts';
import type { Frame } from '../../src/frames/frame.ts';
import { FunctionCallInProgressFrame, FunctionCallResultFrame } from '../../src/frames/function-calls.ts';
import { InterruptionFrame } from '../../src/frames/interruption.ts';
import { EndFrame, EndTaskFrame, StopFrame, StopTaskFrame } from '../../src/frames/lifecycle.ts';
import {
  LLMFullResponseEndFrame,
  LLMFullResponseStartFrame,
  LLMRunFrame,
  LLMTextFrame,
} from '../../src/frames/llm.ts';
import { OutputTransportMessageFrame } from '../../src/frames/messages.ts';
import { ofFrame } from '../../src/frames/of-frame.ts';
import { FrameProcessorPauseFrame } from '../../src/frames/pause.ts';
import { HeartbeatFrame, PipelineFlushFrame } from '../../src/frames/probes.ts';
import { TTSSpeakFrame, UserStartedSpeakingFrame } from '../../src/frames/speaking.ts';
import { InterimTranscriptionFrame, TextFrame, TranscriptionFrame } from '../../src/frames/text.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import type { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import {
  SentenceAggregator,
  type SentenceAggregatorOptions,
} from '../../src/processors/sentence-aggregator.ts';
import { runTest, SleepFrame } from '../../src/testing/run-test.ts';
import { useVirtualTime } from '../support/fake-time.ts';
import { startPipeline, textsOf } from '../support/start-pipeline.ts';

const textFrame = (text: string, fields: Partial<TextFrame> = {}): TextFrame =>
  Object.assign(new TextFrame(text), fields);

/** A heartbeat is a control frame, and the only one that is no reason to let an unfinished sentence go. */
async function everythingIsThrough(task: PipelineTask): Promise<void> {
  const beat = firstValueFrom(task.frames$.pipe(ofFrame(HeartbeatFrame)));
  task.queueFrame(new HeartbeatFrame(0));
  await beat;
}

const wordsOf = (text: string): TextFrame[] => text.split(/(?<= )/).map((word) => new LLMTextFrame(word));

async function sentencesOf(text: string, options?: SentenceAggregatorOptions): Promise<string[]> {
  const { downFrames } = await runTest(new SentenceAggregator(options), { framesToSend: wordsOf(text) });
  return textsOf(downFrames);
}

describe('SentenceAggregator', () => {
  useVirtualTime();

  it('joins words into sentences, with the white space behind them', async () => {
    expect(await sentencesOf('Hello, world. How are you? I am fine! ')).toEqual([
      'Hello, world. ',
      'How are you? ',
      'I am fine! ',
    ]);
  });

  it.each([
    ['a number', 'It costs 3.50 euros. Fine.', ['It costs 3.50 euros. ', 'Fine.']],
    ['an abbreviation', 'Take fruit, e.g. an apple. Good.', ['Take fruit, e.g. an apple. ', 'Good.']],
    ['an ellipsis', 'Well... maybe. No?', ['Well... maybe. ', 'No?']],
    ['a new line', 'One\nTwo', ['One\n', 'Two']],
  ])('does not stumble over %s', async (_, text, sentences) => {
    expect(await sentencesOf(text)).toEqual(sentences);
  });

  it('knows the boundaries of other languages', async () => {
    expect(await sentencesOf('你好。我很好。', { locale: 'zh' })).toEqual(['你好。', '我很好。']);
  });

  it('makes plain text frames of all kinds of text', async () => {
    const { downFrames } = await runTest(new SentenceAggregator(), {
      framesToSend: [new LLMTextFrame('Yes. '), new TextFrame('No.')],
    });
    expect(downFrames.map((frame) => frame.constructor)).toEqual([TextFrame, TextFrame]);
  });

  it('lets the last sentence go when the answer is over', async () => {
    const { downFrames } = await runTest(new SentenceAggregator(), {
      framesToSend: [...wordsOf('And so on'), new LLMFullResponseEndFrame(), ...wordsOf('Next.')],
    });
    expect(downFrames).toMatchObject([
      { text: 'And so on' },
      expect.any(LLMFullResponseEndFrame),
      { text: 'Next.' },
    ]);
  });

  it('lets the last sentence go before a StopFrame', async () => {
    await runTest(new SentenceAggregator(), {
      framesToSend: [new TextFrame('unfinished'), new StopFrame()],
      sendEndFrame: false,
      expectedDownFrames: [TextFrame, StopFrame],
    });
  });

  it('forgets an unfinished sentence at an interruption', async () => {
    const { downFrames } = await runTest(new SentenceAggregator(), {
      framesToSend: [
        ...wordsOf('I was about to '),
        new SleepFrame(5),
        new InterruptionFrame(),
        new SleepFrame(5),
        ...wordsOf('Sorry.'),
      ],
    });
    expect(textsOf(downFrames)).toEqual(['Sorry.']);
  });

  it.each(['downstream', 'upstream'] as const)(
    'keeps uninterruptible text at an interruption going %s',
    async (direction) => {
      const { task, down, run } = await startPipeline([new SentenceAggregator()]);
      task.queueFrame(textFrame('This is ', { uninterruptible: true }));
      await everythingIsThrough(task);
      task.queueFrame(new InterruptionFrame(), direction);
      await everythingIsThrough(task);
      task.queueFrames([textFrame('important.', { uninterruptible: true }), new EndFrame()]);
      await run;
      expect(down.framesOf(TextFrame)).toMatchObject([{ text: 'This is important.', uninterruptible: true }]);
    },
  );

  it('drops interim transcriptions, and passes everything else', async () => {
    await runTest(new SentenceAggregator(), {
      framesToSend: [new InterimTranscriptionFrame('he'), new UserStartedSpeakingFrame()],
      expectedDownFrames: [UserStartedSpeakingFrame],
    });
  });

  it('passes texts on their way upstream', async () => {
    const { up, task, run } = await startPipeline([new SentenceAggregator()]);
    task.queueFrame(new TextFrame('up'), 'upstream');
    await task.flush();
    task.cancel();
    await run;
    expect(textsOf(up.frames)).toEqual(['up']);
  });
});

describe('what a SentenceAggregator holds', () => {
  const call = { functionName: 'weather', toolCallId: 'c1', arguments: {} };
  const audio = { audio: new Int16Array(160), sampleRate: 16_000, numChannels: 1 };

  it.each<[string, Frame]>([
    ['speech of its own', new TTSSpeakFrame('Goodbye.')],
    ['a call of a function', new FunctionCallInProgressFrame(call)],
    ['the result of one', new FunctionCallResultFrame({ ...call, result: 1 })],
    ['a message', new OutputTransportMessageFrame({})],
    ['sound', new TTSAudioRawFrame(audio)],
    ['the beginning of an answer', new LLMFullResponseStartFrame()],
    ['a run of the model', new LLMRunFrame()],
    ['a request to end', new EndTaskFrame()],
    ['a request to stop', new StopTaskFrame()],
    ['a flush probe', new PipelineFlushFrame()],
    ['a pause', new FrameProcessorPauseFrame({ name: 'nobody' })],
  ])('goes before %s', async (_, frame) => {
    const { task, down, run } = await startPipeline([new SentenceAggregator()]);
    task.queueFrames([new LLMTextFrame('One mo'), new LLMTextFrame('ment'), frame]);
    task.stopWhenDone();
    await run;
    expect(down.frames.slice(1, 3)).toEqual([expect.objectContaining({ text: 'One moment' }), frame]);
  });

  it('is said before a goodbye and the end', async () => {
    const { task, down, run } = await startPipeline([new SentenceAggregator()]);
    task.queueFrames([new LLMTextFrame('You are welcome'), new TTSSpeakFrame('Goodbye.'), new EndFrame()]);
    await run;
    expect(down.frames.slice(1)).toMatchObject([
      { text: 'You are welcome' },
      { text: 'Goodbye.' },
      expect.any(EndFrame),
    ]);
  });

  it('stays for heartbeats, system frames and what goes upstream', async () => {
    const { task, down, run } = await startPipeline([new SentenceAggregator()]);
    task.queueFrame(new TextFrame('One mo'));
    await everythingIsThrough(task);
    task.queueFrame(new UserStartedSpeakingFrame());
    task.queueFrame(new TTSSpeakFrame('up'), 'upstream');
    await everythingIsThrough(task);
    task.queueFrames([new TextFrame('ment.'), new EndFrame()]);
    await run;
    expect(textsOf(down.frames)).toEqual(['One moment.']);
  });

  it('keeps its destination, source, metadata and time', async () => {
    const first = { transportDestination: 'music', transportSource: 'chat', pts: 1_000, metadata: { a: 1 } };
    const { downFrames } = await runTest(new SentenceAggregator(), {
      framesToSend: [
        textFrame('One. T', first),
        textFrame('wo.', { ...first, pts: 2_000, metadata: { b: 2 } }),
        textFrame(' Three.', { ...first, pts: 3_000, metadata: { c: 3 } }),
      ],
    });
    expect(downFrames).toMatchObject([
      { ...first, text: 'One. ' },
      { ...first, text: 'Two. ', metadata: { a: 1, b: 2, c: 3 } },
      { ...first, text: 'Three.', pts: 3_000, metadata: { c: 3 } },
    ]);
  });

  it('keeps its user, and is not joined with the words of another', async () => {
    const { downFrames } = await runTest(new SentenceAggregator(), {
      framesToSend: [
        new TranscriptionFrame('I would ', 'ada', '2026-02-03T04:05:06Z', 'en'),
        new TranscriptionFrame('like tea. ', 'ada', '2026-02-03T04:05:07Z', 'en'),
        new TranscriptionFrame('And ', 'ada'),
        new TranscriptionFrame('Me too. ', 'bob'),
        new LLMTextFrame('Sure.'),
      ],
    });
    expect(downFrames).toMatchObject([
      { text: 'I would like tea. ', userId: 'ada', timestamp: '2026-02-03T04:05:06Z', language: 'en' },
      { text: 'And ', userId: 'ada' },
      { text: 'Me too. ', userId: 'bob' },
      { text: 'Sure.' },
    ]);
    expect(downFrames.map((frame) => frame instanceof TranscriptionFrame)).toEqual([true, true, true, false]);
  });

  it.each([{ transportDestination: 'two' }, { transportSource: 'two' }, { uninterruptible: true }])(
    'is not joined with text of other %j',
    async (fields) => {
      const { downFrames } = await runTest(new SentenceAggregator(), {
        framesToSend: [new TextFrame('One '), textFrame('two.', fields)],
      });
      expect(downFrames).toMatchObject([{ text: 'One ' }, { text: 'two.', ...fields }]);
    },
  );

  it('is forgotten when the run is over', async () => {
    const aggregator = new SentenceAggregator();
    const { task, run } = await startPipeline([aggregator]);
    task.queueFrame(new TextFrame('old '));
    await everythingIsThrough(task);
    task.cancel();
    await run;
    const { downFrames } = await runTest(aggregator, { framesToSend: [new TextFrame('new')] });
    expect(textsOf(downFrames)).toEqual(['new']);
  });

  it('refuses a locale that is none', () => {
    expect(() => new SentenceAggregator({ locale: 'no language' })).toThrow(InvalidOptionError);
  });
});
