/** What Pipecat says about the clips, recorded by record-smart-turn.py. */

import { readFileSync } from 'node:fs';

export interface SmartTurnFigures {
  readonly recordedWith: Readonly<Record<string, string>>;
  /** Of a clip's features every so many is recorded. */
  readonly featureStep: number;
  readonly clips: readonly ClipFigures[];
}

export interface ClipFigures {
  readonly name: string;
  /** Of the clip's samples. */
  readonly sha256: string;
  /** How many of the last samples were judged. */
  readonly samples: number;
  readonly probability: number;
  readonly features: readonly number[];
}

export const smartTurnFigures: SmartTurnFigures = JSON.parse(
  readFileSync(new URL('./smart-turn-figures.json', import.meta.url), 'utf8'),
);
