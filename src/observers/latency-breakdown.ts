/** Where the time went between the user's last word and the bot's first. */

/** A stretch of time with a beginning, on the clock of `performance.now()`. */
export interface Stretch {
  readonly startMs: number;
  readonly durationMs: number;
}

/** How long a service took to answer. */
export interface TTFBStretch extends Stretch {
  /** The processor's name. */
  readonly processor: string;
  readonly model?: string | undefined;
}

/** How long a function ran. */
export interface FunctionCallStretch extends Stretch {
  readonly functionName: string;
}

/** What is known of the time until the bot spoke. */
export interface LatencyBreakdown {
  /** From the user's silence until it was taken for the end of the turn. */
  readonly userTurn?: Stretch | undefined;
  /** In the order of their reports. */
  readonly ttfb: readonly TTFBStretch[];
  /** In the order of their answers. */
  readonly functionCalls: readonly FunctionCallStretch[];
}

/** One line per part, in the order in which they began: `OpenAILLM#0: TTFB 250 ms`. */
export function chronologicalEvents({ userTurn, ttfb, functionCalls }: LatencyBreakdown): readonly string[] {
  const events: [Stretch, string][] = [
    ...ttfb.map((one): [Stretch, string] => [one, `${one.processor}: TTFB`]),
    ...functionCalls.map((one): [Stretch, string] => [one, `${one.functionName}:`]),
  ];
  if (userTurn !== undefined) events.unshift([userTurn, 'User turn:']);
  return events
    .sort(([one], [other]) => one.startMs - other.startMs)
    .map(([{ durationMs }, text]) => `${text} ${Math.round(durationMs)} ms`);
}
