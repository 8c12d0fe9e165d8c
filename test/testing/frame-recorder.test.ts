import { describe, expect, it } from 'vitest';
import { TextFrame } from '../../src/frames/text.ts';
import { TTSStartedFrame } from '../../src/frames/tts.ts';
import { FrameRecorder } from '../../src/testing/frame-recorder.ts';

function setup(direction?: 'downstream' | 'upstream') {
  const recorder = new FrameRecorder(direction === undefined ? {} : { direction });
  const below = new FrameRecorder();
  recorder.link(below);
  recorder.queueFrame(new TextFrame('down'), 'downstream');
  recorder.queueFrame(new TextFrame('up'), 'upstream');
  recorder.queueFrame(new TTSStartedFrame());
  return { recorder, below };
}

describe('FrameRecorder', () => {
  it('records both directions', () => {
    expect(setup().recorder.frames).toMatchObject([{ text: 'down' }, { text: 'up' }, {}]);
  });

  it('records one direction only when asked to', () => {
    expect(setup('upstream').recorder.frames).toMatchObject([{ text: 'up' }]);
    expect(setup('downstream').recorder.frames).toHaveLength(2);
  });

  it('passes everything on in the same breath', () => {
    expect(setup('upstream').below.frames).toMatchObject([{ text: 'down' }, {}]);
  });

  it('finds frames by class, and forgets them', () => {
    const { recorder } = setup();
    expect(recorder.framesOf(TextFrame).map(({ text }) => text)).toEqual(['down', 'up']);
    recorder.clear();
    expect(recorder.frames).toEqual([]);
  });
});
