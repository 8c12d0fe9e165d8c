/** Figures that processors report about themselves. */

import { SystemFrame } from './frame.ts';

/** The source of a figure. */
export interface MetricsSource {
  /** The processor's name. */
  readonly processor: string;
  /** The model it used, where it used one. */
  readonly model?: string | undefined;
}

/** From the request to the first byte of its answer. */
export interface TTFBMetrics extends MetricsSource {
  /** Discriminant of {@link MetricsData}. */
  readonly kind: 'ttfb';
  /** The measured time, in milliseconds. */
  readonly valueMs: number;
}

/** From the request to the last byte of its answer. */
export interface ProcessingMetrics extends MetricsSource {
  /** Discriminant of {@link MetricsData}. */
  readonly kind: 'processing';
  /** The measured time, in milliseconds. */
  readonly valueMs: number;
}

/** What a language model read and wrote. */
export interface LLMUsageMetrics extends MetricsSource {
  /** Discriminant of {@link MetricsData}. */
  readonly kind: 'llm-usage';
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  /** Tokens of the answer. */
  readonly completionTokens: number;
  /** How many of the prompt tokens came out of a cache. */
  readonly cachedTokens?: number | undefined;
}

/** What a speech synthesis was given to say. */
export interface TTSUsageMetrics extends MetricsSource {
  /** Discriminant of {@link MetricsData}. */
  readonly kind: 'tts-usage';
  /** Number of synthesized characters. */
  readonly characters: number;
}

/** What a speech recognition has listened to since its last report. */
export interface STTUsageMetrics extends MetricsSource {
  /** Discriminant of {@link MetricsData}. */
  readonly kind: 'stt-usage';
  /** Duration of the audio, in milliseconds. */
  readonly audioMs: number;
}

/** From the request to the first audible sample of speech. */
export interface TTFAMetrics extends MetricsSource {
  /** Discriminant of {@link MetricsData}. */
  readonly kind: 'ttfa';
  /** The measured time, in milliseconds. */
  readonly valueMs: number;
}

/** From the request to the first token of an answer, without its reasoning. */
export interface TTFATMetrics extends MetricsSource {
  /** Discriminant of {@link MetricsData}. */
  readonly kind: 'ttfat';
  /** The measured time, in milliseconds. */
  readonly valueMs: number;
}

/** From the first token of an answer to its first sentence. */
export interface TextAggregationMetrics extends MetricsSource {
  /** Discriminant of {@link MetricsData}. */
  readonly kind: 'text-aggregation';
  /** The measured time, in milliseconds. */
  readonly valueMs: number;
}

/** A verdict of a turn analyzer. */
export interface TurnMetrics extends MetricsSource {
  /** Discriminant of {@link MetricsData}. */
  readonly kind: 'turn';
  /** Whether the turn is complete. */
  readonly isComplete: boolean;
  /** From 0 to 1. */
  readonly probability: number;
  /** From the end of speech being detected to the verdict, in milliseconds. */
  readonly valueMs: number;
}

/** One figure; `kind` is the discriminant. */
export type MetricsData =
  | TTFBMetrics
  | ProcessingMetrics
  | LLMUsageMetrics
  | TTSUsageMetrics
  | STTUsageMetrics
  | TTFAMetrics
  | TTFATMetrics
  | TextAggregationMetrics
  | TurnMetrics;

/** Performance figures for observers. Nothing in the pipeline depends on it; every processor passes it on. */
export class MetricsFrame extends SystemFrame {
  /** The figures. */
  readonly data: readonly MetricsData[];

  constructor(data: readonly MetricsData[]) {
    super();
    this.data = data;
  }
}
