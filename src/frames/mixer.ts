/** Control of the mixer that adds sound to the bot's speech. The output transport consumes these frames. */

import { ControlFrame } from './frame.ts';

/** Any order to the mixer of `transportDestination`; a mixer of one's own may have more of them. */
export abstract class MixerControlFrame extends ControlFrame {}

/** Changes settings; which there are is the mixer's affair. */
export class MixerUpdateSettingsFrame extends MixerControlFrame {
  /** Settings, in the format of the mixer. */
  readonly settings: Readonly<Record<string, unknown>>;

  constructor(settings: Readonly<Record<string, unknown>>) {
    super();
    this.settings = settings;
  }
}

/** Switches the mixer on or off. */
export class MixerEnableFrame extends MixerControlFrame {
  /** Whether the mixer mixes. */
  readonly enable: boolean;

  constructor(enable: boolean) {
    super();
    this.enable = enable;
  }
}
