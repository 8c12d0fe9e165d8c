import { SafeEventEmitter } from '../lib/emitter.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import { type FilledTransportParams, filledParams, type TransportParams } from './transport-params.ts';

/**
 * A way in and out of a pipeline: `input()` stands at its beginning, `output()` where sound leaves it.
 *
 * Both share one connection. Either may be left out.
 *
 * @see Pipecat `transports/base_transport.py`, `BaseTransport`
 */
export abstract class BaseTransport<Events extends object = object> extends SafeEventEmitter<Events> {
  readonly params: FilledTransportParams;

  /** @throws {InvalidOptionError} A parameter can never work. */
  constructor(params?: TransportParams) {
    super();
    this.params = filledParams(params);
  }

  /** Always the same processor. */
  abstract input(): FrameProcessor;

  /** Always the same processor. */
  abstract output(): FrameProcessor;
}
