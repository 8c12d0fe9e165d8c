import { describe, expect, it } from 'vitest';
import { EndFrame, StartFrame } from '../../src/frames/lifecycle.ts';
import { TextFrame, TranscriptionFrame } from '../../src/frames/text.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { LogObserver, type LogObserverOptions } from '../../src/observers/log-observer.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { PipelineTask } from '../../src/pipeline/pipeline-task.ts';
import { IdentityFilter } from '../../src/processors/identity-filter.ts';

class Other extends IdentityFilter {}

async function linesOf(options: LogObserverOptions): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = [];
  const log = (fields: object): void => void lines.push({ ...fields });
  const observer = new LogObserver({ ...options, logger: { ...silentLogger, debug: log, warn: log } });
  const pipeline = new Pipeline([
    new IdentityFilter({ name: 'a' }),
    new Other({ name: 'b' }),
    new IdentityFilter({ name: 'c' }),
  ]);
  const task = new PipelineTask(pipeline, { logger: silentLogger, observers: [observer] });
  task.queueFrames([new TextFrame('hello'), new TranscriptionFrame('secret', 'ada'), new EndFrame()]);
  await task.run();
  return lines;
}

const hop = ({ source, destination }: Record<string, unknown>): string => `${source} > ${destination}`;

describe('LogObserver', () => {
  it('writes a line for each hop of a frame, with its own fields', async () => {
    const lines = await linesOf({ frames: [TranscriptionFrame] });
    expect(lines.map(hop)).toEqual(expect.arrayContaining(['a > b', 'b > c']));
    expect(lines.find(({ source }) => source === 'a')).toEqual({
      frame: expect.stringMatching(/^TranscriptionFrame#\d+$/),
      source: 'a',
      destination: 'b',
      direction: 'downstream',
      timestampMs: expect.any(Number),
      text: 'secret',
      userId: 'ada',
      timestamp: '',
      finalized: false,
    });
  });

  it('writes lines for all frames by default', async () => {
    const names = (await linesOf({})).map(({ frame }) => String(frame).replace(/#.*/, ''));
    expect(new Set(names)).toEqual(new Set(['StartFrame', 'TextFrame', 'TranscriptionFrame', 'EndFrame']));
  });

  it('writes lines for frames of the given classes, with subclasses', async () => {
    const names = (await linesOf({ frames: [StartFrame, TextFrame] })).map(({ frame }) =>
      String(frame).replace(/#.*/, ''),
    );
    expect(new Set(names)).toEqual(new Set(['StartFrame', 'TextFrame', 'TranscriptionFrame']));
  });

  it('writes lines for hops from and to processors of the given classes', async () => {
    const lines = await linesOf({ frames: [EndFrame], processors: [Other] });
    expect(lines.map(hop)).toEqual(['a > b', 'b > c']);
  });

  it('leaves out the fields that are not to be logged', async () => {
    const lines = await linesOf({ excludedFields: ['text', 'userId'] });
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).not.toHaveProperty('text');
  });

  it.each(['warn', 'debug'] as const)('writes at the level %s', async (level) => {
    expect((await linesOf({ level })).length).toBeGreaterThan(0);
  });

  it('writes nothing at a level that the logger ignores', async () => {
    expect(await linesOf({ level: 'info' })).toEqual([]);
  });
});
