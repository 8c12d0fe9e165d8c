import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/lib/errors.ts';
import { MemoryTransport } from '../../src/testing/memory-transport.ts';
import { resolveParams } from '../../src/transports/transport-params.ts';

const mixer = { start() {}, stop() {}, processFrame() {}, mix: (audio: Int16Array) => audio };

describe('TransportParams', () => {
  it('has these defaults', () => {
    expect(resolveParams()).toEqual({
      company: 'people',
      audioInEnabled: false,
      audioInSources: ['microphone'],
      audioInSampleRate: undefined,
      audioInChannels: 1,
      audioInPassthrough: true,
      audioInStreamOnStart: true,
      audioOutEnabled: false,
      audioOutSampleRate: undefined,
      audioOutChannels: 1,
      audioOut10msChunks: 4,
      audioOutMixer: new Map(),
      audioOutDestinations: [],
      endSilenceMs: 0,
      dtmfIntervalMs: 100,
      videoInEnabled: false,
      videoInFramerate: 1,
      videoOutEnabled: false,
      videoOutIsLive: false,
      videoOutWidth: 1_024,
      videoOutHeight: 768,
      videoOutFramerate: 30,
      videoOutDestinations: [],
    });
  });

  it('takes one mixer for that of the default destination', () => {
    expect(resolveParams({ audioOutMixer: mixer }).audioOutMixer).toEqual(new Map([[undefined, mixer]]));
    const mixers = new Map([['french', mixer]]);
    const params = resolveParams({ audioOutMixer: mixers, audioOutDestinations: ['french'] });
    expect(params.audioOutMixer).toEqual(mixers);
  });

  it.each([
    [{ audioOutEnable: true }, 'audioOutEnable', 'audioOutEnabled'],
    [{ audioOutSamplerate: 8_000 }, 'audioOutSamplerate', 'audioOutSampleRate'],
    [{ video_in_enabled: undefined }, 'video_in_enabled', 'videoInEnabled'],
  ])('refuses %o, and names the nearest one that there is', (params, option, nearest) => {
    expect(() => new MemoryTransport({ params: params as never })).toThrow(InvalidOptionError);
    expect(() => resolveParams(params as never)).toThrow(
      expect.objectContaining({ option, message: expect.stringContaining(`"${nearest}"`) }),
    );
  });

  it.each([null, 'audio', 7])('refuses params that are no object: %o', (params) => {
    expect(() => resolveParams(params as never)).toThrow(InvalidOptionError);
  });

  it.each([
    { company: 'agents' },
    { audioInEnabled: 'yes' },
    { audioInSources: 'microphone' },
    { audioInSources: ['screenshare'] },
    { audioOutSampleRate: 0 },
    { audioOutSampleRate: 100 },
    { audioInSampleRate: 1_000_000 },
    { audioOutSampleRate: 22_050.5 },
    { audioInSampleRate: Number.NaN },
    { audioInSampleRate: -16_000 },
    { audioOutChannels: 0 },
    { audioOut10msChunks: 1.5 },
    { endSilenceMs: -1 },
    { dtmfIntervalMs: -1 },
    { dtmfIntervalMs: 2 ** 31 },
    { dtmfIntervalMs: Number.NaN },
    { endSilenceMs: Number.POSITIVE_INFINITY },
    { videoOutFramerate: 0 },
    { videoOutWidth: 640.5 },
    { audioOutDestinations: 'french' },
    { audioOutDestinations: ['french', ''] },
    { videoOutDestinations: ['screen', 'screen'] },
    { audioOutMixer: { mix: () => {} } },
    { audioOutMixer: new Map([['french', mixer]]) },
  ])('refuses %o', (params) => {
    expect(() => resolveParams(params as never)).toThrow(InvalidOptionError);
  });
});
