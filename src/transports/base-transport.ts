/** The base class of transports. */

import type { Frame } from '../frames/frame.ts';
import { SafeEventEmitter } from '../lib/emitter.ts';
import type { FrameProcessor } from '../processors/frame-processor.ts';
import { type ResolvedTransportParams, resolveParams, type TransportParams } from './transport-params.ts';

/**
 * Connects a pipeline to a media server: `input()` is its first processor, `output()` the one that plays audio.
 *
 * Both share one connection. Either may be left out.
 *
 * @see Pipecat `transports/base_transport.py`, `BaseTransport`
 */
export abstract class BaseTransport<Events extends object = object> extends SafeEventEmitter<Events> {
  /** The parameters, with defaults filled in. */
  readonly params: ResolvedTransportParams;

  /** @throws {InvalidOptionError} A parameter can never work. */
  constructor(params?: TransportParams) {
    super();
    this.params = resolveParams(params);
  }

  /** The processor that receives; the same one on every call. */
  abstract input(): FrameProcessor;

  /** The processor that sends; the same one on every call. */
  abstract output(): FrameProcessor;

  /** Pushes a task frame upstream, from the input or output, whichever is in the pipeline. */
  protected pushToTask(frame: Frame): void {
    const end = this.input().previous === undefined ? this.output() : this.input();
    end.push(frame, 'upstream');
  }
}
