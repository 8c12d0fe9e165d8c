/** An output that takes as long for a piece of audio as it lasts: `conversation-traces/README.md`, section 4. */

import type { OutputAudioRawFrame } from '../../../src/frames/audio.ts';
import { BaseOutputTransport } from '../../../src/transports/base-output.ts';
import { resolveParams } from '../../../src/transports/transport-params.ts';

export class ScriptedOutput extends BaseOutputTransport {
  /** When the piece that was written last is over. */
  #dueMs = 0;
  #cut: () => void = () => {};

  constructor() {
    super(
      resolveParams({
        audioOutEnabled: true,
        audioOutSampleRate: 16_000,
        audioOut10msChunks: 2,
        endSilenceMs: 0,
      }),
    );
  }

  protected override writeAudioFrame({ durationMs }: OutputAudioRawFrame): Promise<boolean> {
    const nowMs = performance.now();
    this.#dueMs = Math.max(this.#dueMs, nowMs) + durationMs;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#dueMs - nowMs, true);
      this.#cut = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
  }

  protected override clearAudio(): void {
    this.#dueMs = 0;
    this.#cut();
  }
}
