/** The frames by which services tell about themselves, and are reconfigured. */

import { ControlFrame, SystemFrame } from './frame.ts';

/** What a speech recognition tells about itself at the start. */
export class STTMetadataFrame extends SystemFrame {
  /** From the end of speech to its final transcription, in milliseconds: the 99th percentile. */
  readonly ttfsP99Ms: number;

  constructor({ ttfsP99Ms }: { readonly ttfsP99Ms: number }) {
    super();
    this.ttfsP99Ms = ttfsP99Ms;
  }
}

/** Changes settings of services. Each service that it is for takes it; others pass it on. */
export abstract class ServiceUpdateSettingsFrame extends ControlFrame {
  override uninterruptible = true;
  /** The settings that change. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The name of the processor it is for; `undefined` for each of its kind. */
  readonly service: string | undefined;

  constructor(settings: Readonly<Record<string, unknown>>, service?: string) {
    super();
    this.settings = settings;
    this.service = service;
  }
}

/** Changes settings of language models. */
export class LLMUpdateSettingsFrame extends ServiceUpdateSettingsFrame {}

/** Changes settings of speech synthesis. */
export class TTSUpdateSettingsFrame extends ServiceUpdateSettingsFrame {}

/** Changes settings of speech recognition. */
export class STTUpdateSettingsFrame extends ServiceUpdateSettingsFrame {}

/** Whether a frame is for this processor. */
export function isFor({ service }: ServiceUpdateSettingsFrame, { name }: { readonly name: string }): boolean {
  return service === undefined || service === name;
}
