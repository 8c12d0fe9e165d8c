/** The parts of the time between the user's last word and the bot's first. */

/** An interval. */
export interface Stretch {
  /** Milliseconds of `performance.now()`. */
  readonly startMs: number;
  readonly durationMs: number;
}

/** A service's time to its first byte. */
export interface TTFBStretch extends Stretch {
  /** The processor's name. */
  readonly processor: string;
  readonly model?: string | undefined;
}

/** How long a function ran. */
export interface FunctionCallStretch extends Stretch {
  readonly functionName: string;
}

/** The parts that were reported. */
export interface LatencyBreakdown {
  /** From the user's silence until the end of the turn was detected. */
  readonly userTurn?: Stretch | undefined;
  /** In the order of their reports. */
  readonly ttfb: readonly TTFBStretch[];
  /** In the order of their answers. */
  readonly functionCalls: readonly FunctionCallStretch[];
}

/** One line per part, in order of their beginning: `OpenAILLM#0: TTFB 250 ms`. */
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
