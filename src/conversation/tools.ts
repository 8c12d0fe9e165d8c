/** The tools that a language model may call, in the shape of the AI SDK's `tool()`. */

import type { Frame, FrameDirection } from '../frames/frame.ts';
import { EndTaskFrame } from '../frames/lifecycle.ts';
import type { LLMMessage } from '../frames/llm.ts';
import { TTSSpeakFrame } from '../frames/speaking.ts';
import { InvalidOptionError } from '../lib/errors.ts';
import { checkDurationMs, checkFunction } from '../lib/options.ts';

/** A schema of the Standard Schema specification, as Zod, Valibot and ArkType make them. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
    ) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** What a {@link StandardSchema} says about a value. */
export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/** What a tool's function gets beside its input. */
export interface ToolCallOptions {
  /** The model's id of this call. */
  readonly toolCallId: string;
  /** Aborts when the call is cancelled: by an interruption, its time limit, or the end of the run. */
  readonly signal: AbortSignal;
  /** The same, under the AI SDK's name. */
  readonly abortSignal: AbortSignal;
  /** The conversation at the call. */
  readonly messages: readonly LLMMessage[];
  /** The language model's processor, to push frames from. */
  readonly llm: { push(frame: Frame, direction?: FrameDirection): void };
  /** Gives the result now; what the function returns afterwards is ignored. `undefined` is no result. */
  respond(result: unknown, options?: ToolResponseOptions): void;
  /** Gives an intermediate result. */
  progress(result: unknown): void;
}

/** How a result is treated. */
export interface ToolResponseOptions {
  /** Whether the model answers to it. Default: once all calls of the same answer are settled. */
  readonly runLLM?: boolean | undefined;
  /** Called when the result is in the context. */
  readonly onContextUpdated?: (() => void) | undefined;
}

/** A tool that a model may call; what `tool()` of the AI SDK makes fits as it is. */
export interface Tool {
  /** What it does, for the model. */
  readonly description?: string | undefined;
  /** A {@link StandardSchema}, by which the input is validated, or a JSON Schema. */
  readonly inputSchema?: unknown;
  /**
   * Runs a call; its result becomes JSON. What it throws ends the call, and the model is told so without the error's
   * text. A tool without it is known to the model, and answered as unknown.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the input's type belongs to the schema; `tool()` infers it
  readonly execute?: ((input: any, options: any) => unknown) | undefined;
  /** Whether an interruption cancels a call that has no result. Default true. */
  readonly cancelOnInterruption?: boolean | undefined;
  /** Limit of a call, in milliseconds. Default: that of the service. */
  readonly timeoutMs?: number | null | undefined;
  /** Whether the model answers to a result. Default: once all calls of the same answer are settled. */
  readonly runLLM?: boolean | undefined;
}

/** Tools by name. */
export type Tools = Readonly<Record<string, Tool>>;

/** The input that a schema describes; `any` for a JSON Schema. */
export type ToolInput<Schema> =
  // biome-ignore lint/suspicious/noExplicitAny: a JSON Schema has no type
  Schema extends StandardSchema<infer Output> ? Output : any;

/** A tool whose input has the type of its schema. */
export interface ToolDefinition<Schema> extends Omit<Tool, 'inputSchema' | 'execute'> {
  /** A {@link StandardSchema}, by which the input is validated, or a JSON Schema. */
  readonly inputSchema?: Schema;
  /** Runs a call; see {@link Tool.execute}. */
  readonly execute?: (input: ToolInput<Schema>, options: ToolCallOptions) => unknown;
}

/**
 * Makes a tool whose input is inferred from its schema.
 *
 * @example
 * const weather = tool({
 *   description: 'The weather in a city',
 *   inputSchema: z.object({ city: z.string() }),
 *   execute: ({ city }) => fetchWeather(city),
 * });
 */
export function tool<Schema>(definition: ToolDefinition<Schema>): Tool {
  return definition as Tool;
}

/** A result that ends the call once a goodbye was heard; see {@link endCall}. */
export class EndCall {
  /** Spoken before the end, uninterruptibly; `undefined` for nothing. */
  readonly say: string | undefined;

  constructor(say: string | undefined) {
    this.say = say;
  }
}

/**
 * To be returned by a tool: the goodbye is spoken, whatever the user says meanwhile, then the call ends.
 *
 * @param options.say The goodbye. Default none.
 */
export function endCall({ say }: { readonly say?: string } = {}): EndCall {
  return new EndCall(say);
}

/** Says the goodbye of an {@link EndCall} and requests the end. */
export function performEndCall({ say }: EndCall, llm: ToolCallOptions['llm']): void {
  if (say !== undefined) {
    const goodbye = new TTSSpeakFrame(say);
    goodbye.uninterruptible = true;
    llm.push(goodbye);
  }
  llm.push(new EndTaskFrame(), 'upstream');
}

/** @throws {InvalidOptionError} Something is no tool. */
export function checkTools(tools: unknown): Tools {
  if (typeof tools !== 'object' || tools === null || Array.isArray(tools)) {
    throw new InvalidOptionError('tools', 'an object of tools by name', tools);
  }
  for (const [name, one] of Object.entries(tools) as [string, Tool | null][]) {
    if (typeof one !== 'object' || one === null) throw new InvalidOptionError(`tools.${name}`, 'a tool', one);
    if (one.execute !== undefined) checkFunction(`tools.${name}.execute`, one.execute);
    if (one.timeoutMs != null) checkDurationMs(`tools.${name}.timeoutMs`, one.timeoutMs, { or: 'null' });
  }
  return { ...tools } as Tools;
}

/** @returns The input, or what is wrong with it. Without a {@link StandardSchema} every input is right. */
export async function validateInput(
  { inputSchema }: Tool,
  input: unknown,
): Promise<{ readonly input: unknown } | { readonly problem: string }> {
  const validate = (inputSchema as StandardSchema | undefined)?.['~standard']?.validate;
  if (validate === undefined) return { input };
  const result = await validate(input);
  if (result.issues === undefined) return { input: result.value };
  return { problem: result.issues.map(({ message }) => message).join('; ') };
}
