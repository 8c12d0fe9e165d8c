import { describe, expect, it } from 'vitest';
import { chronologicalEvents } from '../../src/observers/latency-breakdown.ts';

describe('chronologicalEvents', () => {
  it('tells what began first first', () => {
    const lines = chronologicalEvents({
      userTurn: { startMs: 100_000, durationMs: 150 },
      ttfb: [
        { processor: 'LLM#0', model: 'large', startMs: 100_200, durationMs: 250 },
        { processor: 'STT#0', startMs: 100_050, durationMs: 80 },
        { processor: 'TTS#0', startMs: 100_500, durationMs: 70.4 },
      ],
      functionCalls: [{ functionName: 'get_weather', startMs: 100_450, durationMs: 120 }],
    });
    expect(lines).toEqual([
      'User turn: 150 ms',
      'STT#0: TTFB 80 ms',
      'LLM#0: TTFB 250 ms',
      'get_weather: 120 ms',
      'TTS#0: TTFB 70 ms',
    ]);
  });

  it('has nothing to tell of nothing', () => {
    expect(chronologicalEvents({ ttfb: [], functionCalls: [] })).toEqual([]);
  });

  it('tells the parts that are known', () => {
    const ttfb = [{ processor: 'LLM#0', startMs: 0, durationMs: 200 }];
    expect(chronologicalEvents({ ttfb, functionCalls: [] })).toEqual(['LLM#0: TTFB 200 ms']);
  });
});
