import { describe, expect, it } from 'vitest';
import { OutputDTMFFrame } from '../../src/frames/dtmf.ts';
import { roleOf } from '../../src/frames/frame.ts';
import {
  FunctionCallCancelFrame,
  FunctionCallInProgressFrame,
  FunctionCallResultFrame,
  FunctionCallsStartedFrame,
} from '../../src/frames/function-calls.ts';
import { InputImageRawFrame, OutputImageRawFrame, UserImageRequestFrame } from '../../src/frames/images.ts';
import { LLMContextFrame, LLMMessagesAppendFrame, LLMRunFrame } from '../../src/frames/llm.ts';
import {
  InputTransportMessageFrame,
  OutputTransportMessageFrame,
  OutputTransportMessageUrgentFrame,
} from '../../src/frames/messages.ts';
import { MetricsFrame } from '../../src/frames/metrics.ts';
import {
  FrameProcessorPauseFrame,
  FrameProcessorPauseUrgentFrame,
  FrameProcessorResumeFrame,
  FrameProcessorResumeUrgentFrame,
} from '../../src/frames/pause.ts';
import { HeartbeatFrame } from '../../src/frames/probes.ts';

const call = { functionName: 'weather', toolCallId: 'c1', arguments: { city: 'Oslo' } };
const picture = { image: new Uint8Array(12), width: 2, height: 2 };
const processor = { name: 'p' };

describe('frame kinds', () => {
  it.each([
    [new FrameProcessorPauseFrame(processor), 'control', 'pause', false],
    [new FrameProcessorPauseUrgentFrame(processor), 'system', 'pause', false],
    [new FrameProcessorResumeFrame(processor), 'system', 'resume', false],
    [new FrameProcessorResumeUrgentFrame(processor), 'system', 'resume', false],
    [new HeartbeatFrame(5), 'control', 'heartbeat', false],
    [new InputTransportMessageFrame('hi', 'ada'), 'system', undefined, false],
    [new OutputTransportMessageFrame('hi'), 'data', undefined, false],
    [new OutputTransportMessageUrgentFrame('hi'), 'system', undefined, false],
    [new OutputDTMFFrame(['1']), 'data', undefined, false],
    [new InputImageRawFrame(picture), 'system', undefined, false],
    [new OutputImageRawFrame(picture), 'data', undefined, false],
    [new UserImageRequestFrame({ userId: 'ada' }), 'system', undefined, false],
    [new FunctionCallsStartedFrame([call]), 'system', undefined, false],
    [new FunctionCallInProgressFrame(call), 'control', undefined, true],
    [new FunctionCallResultFrame({ ...call, result: 3 }), 'data', undefined, true],
    [new FunctionCallCancelFrame(call), 'system', undefined, false],
    [new LLMContextFrame({ messages: [] }), 'data', undefined, false],
    [new LLMRunFrame(), 'data', undefined, false],
    [new LLMMessagesAppendFrame([], true), 'data', undefined, false],
    [new MetricsFrame([]), 'system', undefined, false],
  ])('%s is a %s frame of role %s', (frame, kind, role, uninterruptible) => {
    expect(frame.kind).toBe(kind);
    expect(roleOf(frame)).toBe(role);
    expect(frame.uninterruptible).toBe(uninterruptible);
  });
});
