import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/errors.ts';
import { filledParams } from '../../src/transports/transport-params.ts';

describe('TransportParams', () => {
  it('has these defaults', () => {
    expect(filledParams()).toEqual({
      audioInEnabled: false,
      audioInSampleRate: undefined,
      audioInChannels: 1,
      audioInPassthrough: true,
      audioOutEnabled: false,
      audioOutSampleRate: undefined,
      audioOutChannels: 1,
      audioOut10msChunks: 4,
      endSilenceMs: 0,
    });
  });

  it.each([
    { audioInEnabled: 'yes' },
    { audioOutSampleRate: 0 },
    { audioOutSampleRate: 22_050.5 },
    { audioInSampleRate: Number.NaN },
    { audioInSampleRate: -16_000 },
    { audioOutChannels: 0 },
    { audioOut10msChunks: 1.5 },
    { endSilenceMs: -1 },
    { endSilenceMs: Number.POSITIVE_INFINITY },
  ])('refuses %o', (params) => {
    expect(() => filledParams(params as never)).toThrow(InvalidOptionError);
  });
});
