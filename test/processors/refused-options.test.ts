import { describe, expect, it } from 'vitest';
import { ofFrame } from '../../src/frames/of-frame.ts';
import { TextFrame } from '../../src/frames/text.ts';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { LogObserver } from '../../src/observers/log-observer.ts';
import { StartupTimingObserver } from '../../src/observers/startup-timing-observer.ts';
import { ConsumerProcessor } from '../../src/processors/consumer-processor.ts';
import { DTMFAggregator } from '../../src/processors/dtmf-aggregator.ts';
import { FrameFilter } from '../../src/processors/frame-filter.ts';
import { FrameLogger } from '../../src/processors/frame-logger.ts';
import { FunctionFilter } from '../../src/processors/function-filter.ts';
import { GatedAggregator } from '../../src/processors/gated-aggregator.ts';
import { IdleFrameProcessor } from '../../src/processors/idle-frame-processor.ts';
import { operatorProcessor } from '../../src/processors/operator-processor.ts';
import { ProducerProcessor } from '../../src/processors/producer-processor.ts';

/** As a program in JavaScript would call it. */
// biome-ignore lint/suspicious/noExplicitAny: what the types refuse is the subject
type Loose = any;
const yes = (): boolean => true;
const producer = new ProducerProcessor({ filter: yes });
const make = (of: unknown, ...args: unknown[]): unknown => new (of as Loose)(...args);

describe('what can never work is refused where it is given', () => {
  it.each<[string, string, () => unknown]>([
    ['FrameFilter without classes', 'classes', () => make(FrameFilter)],
    ['FrameFilter of one class', 'classes', () => make(FrameFilter, TextFrame)],
    ['FrameFilter of a name', 'classes', () => make(FrameFilter, ['TextFrame'])],
    ['FrameFilter of a class that is none of frames', 'classes', () => make(FrameFilter, [TextFrame, Map])],
    ['FrameFilter of a frame', 'classes', () => make(FrameFilter, [new TextFrame('a')])],
    ['FunctionFilter of an object', 'predicate', () => make(FunctionFilter, {})],
    ['FunctionFilter of nothing', 'predicate', () => make(FunctionFilter)],
    ['FunctionFilter of a direction', 'direction', () => make(FunctionFilter, yes, { direction: 'down' })],
    ['FunctionFilter', 'filterSystemFrames', () => make(FunctionFilter, yes, { filterSystemFrames: 1 })],
    ['GatedAggregator without open', 'open', () => make(GatedAggregator, { close: yes })],
    ['GatedAggregator without close', 'close', () => make(GatedAggregator, { open: yes })],
    ['GatedAggregator', 'startOpen', () => make(GatedAggregator, { open: yes, close: yes, startOpen: 'no' })],
    [
      'GatedAggregator of both directions',
      'direction',
      () => make(GatedAggregator, { open: yes, close: yes, direction: 'both' }),
    ],
    ['ProducerProcessor without filter', 'filter', () => make(ProducerProcessor, {})],
    ['ProducerProcessor', 'transform', () => make(ProducerProcessor, { filter: yes, transform: 'shout' })],
    ['ProducerProcessor', 'passthrough', () => make(ProducerProcessor, { filter: yes, passthrough: 'no' })],
    ['ConsumerProcessor of no producer', 'producer', () => make(ConsumerProcessor, {})],
    ['ConsumerProcessor', 'direction', () => make(ConsumerProcessor, producer, { direction: 'both' })],
    ['ConsumerProcessor', 'transform', () => make(ConsumerProcessor, producer, { transform: {} })],
    ['IdleFrameProcessor without onIdle', 'onIdle', () => make(IdleFrameProcessor, { timeoutMs: 1 })],
    [
      'IdleFrameProcessor',
      'types',
      () => make(IdleFrameProcessor, { timeoutMs: 1, onIdle: yes, types: [undefined] }),
    ],
    ['FrameLogger', 'level', () => make(FrameLogger, { level: 'trace' })],
    ['FrameLogger', 'logger', () => make(FrameLogger, { logger: console.log })],
    ['FrameLogger', 'ignored', () => make(FrameLogger, { ignored: 'TextFrame' })],
    ['DTMFAggregator', 'prefix', () => make(DTMFAggregator, { prefix: 3 })],
    ['operatorProcessor', 'operator', () => operatorProcessor({} as Loose)],
    ['ofFrame', 'classes', () => ofFrame(undefined as Loose)],
    ['LogObserver', 'frames', () => make(LogObserver, { frames: [undefined] })],
    ['LogObserver', 'processors', () => make(LogObserver, { processors: 'FrameLogger' })],
    ['LogObserver', 'excludedFields', () => make(LogObserver, { excludedFields: 'text' })],
    ['LogObserver', 'level', () => make(LogObserver, { level: 'trace' })],
    ['LogObserver', 'logger', () => make(LogObserver, { logger: {} })],
    ['StartupTimingObserver', 'processors', () => make(StartupTimingObserver, { processors: [{}] })],
  ])('%s: %s', (_, option, refused) => {
    expect(refused).toThrow(InvalidOptionError);
    expect(refused).toThrow(`Option "${option}" must be`);
  });

  it('says what came', () => {
    expect(() => make(FunctionFilter, {})).toThrow('Option "predicate" must be a function, got {}');
    expect(() => make(FrameFilter, [Map])).toThrow(
      'Option "classes" must be a list of frame classes, got [Function: Map]',
    );
  });
});
