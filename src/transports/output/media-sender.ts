/** The audio and images of one destination in one run, and the frames that report when the bot speaks. */

import { OutputAudioRawFrame, TTSAudioRawFrame } from '../../frames/audio.ts';
import type { Frame, SystemFrame } from '../../frames/frame.ts';
import { checkAudio } from '../../frames/frame-checks.ts';
import { OutputImageRawFrame, SpriteFrame } from '../../frames/images.ts';
import { MixerControlFrame } from '../../frames/mixer.ts';
import {
  BotSpeakingFrame,
  BotStartedSpeakingFrame,
  BotStoppedSpeakingFrame,
  TTSStoppedFrame,
  TTSTextFrame,
} from '../../frames/speaking.ts';
import { AudioRechunker } from './audio-rechunker.ts';
import { AudioWriter } from './audio-writer.ts';
import { ImagePlayer } from './image-player.ts';
import { type MediaSenderHooks, type MediaSenderOptions, reportOnce } from './media-sender-hooks.ts';
import { OutputIntake, OutputQueue } from './output-queue.ts';

/**
 * How long a partial chunk waits for more audio when nothing else is queued: longer than the gap between two pieces of
 * a stream, shorter than a media server's buffer.
 */
const flushDelayMs = 130;
/** A second timer, for audio that arrived while the event loop was blocked: timers fire before it is handled. */
const flushGraceMs = 20;

/**
 * `closed`: before the StartFrame and after the run. `ending`: an EndFrame drains, uninterruptibly. `cancelled`:
 * nothing is played any more.
 */
type Phase = 'closed' | 'open' | 'ending' | 'cancelled';

/**
 * Sends the audio and images of one destination in order, with the frames that wait behind them.
 *
 * @see Pipecat `transports/base_output.py`, `MediaSender`
 */
export class MediaSender {
  readonly #options: MediaSenderOptions;
  readonly #hooks: MediaSenderHooks;
  readonly #intake: OutputIntake;
  readonly #queue: OutputQueue;
  readonly #speaking: BotSpeakingTracker;
  readonly #rechunker: AudioRechunker;
  readonly #audio: AudioWriter;
  readonly #images: ImagePlayer | undefined;
  #phase: Phase = 'closed';
  #hasListeners = true;
  #lastChunk: OutputAudioRawFrame | undefined;
  #flushTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: MediaSenderOptions) {
    const { hooks } = options;
    this.#options = options;
    this.#hooks = hooks;
    this.#intake = new OutputIntake({
      take: (frame) => this.#enqueue(frame),
      failed: hooks.failed,
    });
    this.#queue = new OutputQueue({
      play: (chunk) => this.#play(chunk),
      deliver: (frame) => this.#deliver(frame),
      played: (chunk) => hooks.push(chunk),
      cut: () => void this.#audio.clear(),
      failed: hooks.failed,
      ranEmpty: () => this.#ranEmpty(),
    });
    this.#speaking = new BotSpeakingTracker((frameClass) => this.#broadcast(new frameClass()));
    this.#rechunker = newRechunker(options);
    this.#audio = new AudioWriter(options);
    this.#images = newImagePlayer(options);
  }

  /** Opens it, at the StartFrame. */
  start(): void {
    this.#phase = 'open';
    this.#audio.start(() => this.#playBackground());
  }

  /** Queues a data or control frame. */
  queueFrame(frame: Frame): void {
    if (!this.#hasListeners && isSpeech(frame)) return;
    if (frame instanceof OutputAudioRawFrame) this.#queueAudio(frame);
    else if (frame instanceof OutputImageRawFrame || frame instanceof SpriteFrame) this.#queueImage(frame);
    else if (frame instanceof MixerControlFrame) this.#audio.control(frame);
    else this.#intake.add(frame);
  }

  /** @returns Whether anything may be interrupted: the drain of an EndFrame may not. */
  interrupt(): boolean {
    if (this.#phase !== 'open') return false;
    const isInterruptible = (frame: Frame): boolean => !frame.uninterruptible;
    this.#intake.drop(isInterruptible);
    this.#queue.drop(isInterruptible);
    this.#rechunker.clear();
    this.#flushLater();
    this.#images?.interrupt();
    if (this.#lastChunk?.uninterruptible !== true) void this.#audio.clear();
    return true;
  }

  /** Reports that the bot has stopped speaking, where it did speak. */
  stopSpeaking(): void {
    this.#speaking.stop();
  }

  /** Without listeners all audio is dropped, and so are the TTSTextFrames of its words; other frames pass. */
  setHasListeners(hasListeners: boolean): void {
    if (hasListeners === this.#hasListeners) return;
    this.#hasListeners = hasListeners;
    if (hasListeners) this.#playBackground();
    else this.#dropSpeech();
  }

  /** Drains uninterruptibly, to the last sample and `endSilenceMs` after it. */
  async end(): Promise<void> {
    this.#phase = 'ending';
    await this.#drain();
  }

  /** Drains; can be interrupted until it resolves. */
  async stop(): Promise<void> {
    await this.#drain();
    if (this.#phase === 'open') this.#phase = 'closed';
  }

  /** Stops at once, dropping everything. */
  cancel(): void {
    this.#drop('cancelled');
    void this.#audio.clear();
  }

  /** Drops everything and releases the resampler. */
  close(): void {
    this.#drop('closed');
    this.#rechunker.close();
  }

  #drop(phase: 'cancelled' | 'closed'): void {
    this.#phase = phase;
    clearTimeout(this.#flushTimer);
    this.#intake.drop(() => true);
    this.#queue.drop(() => true);
    this.#rechunker.clear();
    this.#speaking.reset();
    this.#images?.stop();
    void this.#audio.stop();
  }

  #dropSpeech(): void {
    this.#intake.drop(isSpeech);
    this.#queue.drop(isSpeech);
    clearTimeout(this.#flushTimer);
    this.#rechunker.close();
    if (this.#phase === 'ending') this.#images?.stop();
    void this.#audio.pauseBackground();
    void this.#audio.clear();
    this.#speaking.stop();
  }

  async #drain(): Promise<void> {
    await this.#intake.whenEmpty();
    this.#flush();
    await this.#queue.whenEmpty();
    await this.#images?.waitForPlayout();
    await this.#audio.pauseBackground();
    const needsSilence = (): boolean => this.#phase === 'ending' && this.#hasListeners;
    if (needsSilence()) await this.#audio.playSilence(this.#options.params.endSilenceMs, needsSilence);
    await this.#audio.waitForPlayout();
    this.#speaking.stop();
    this.#images?.stop();
    await this.#audio.stop();
  }

  #queueAudio(frame: OutputAudioRawFrame): void {
    // fields may have been changed since the constructor checked them
    checkAudio(frame);
    if (!this.#options.params.audioOutEnabled) this.#hooks.isOff('audioOutEnabled');
    else if (this.#phase === 'open') this.#intake.add(frame);
  }

  #queueImage(frame: OutputImageRawFrame | SpriteFrame): void {
    if (this.#images === undefined) this.#hooks.isOff('videoOutEnabled');
    else if (this.#phase !== 'open') return;
    else if (frame instanceof OutputImageRawFrame && frame.syncWithAudio) this.#intake.add(frame);
    else this.#images.show(frame);
  }

  #enqueue(frame: Frame): void {
    if (frame instanceof OutputAudioRawFrame) {
      for (const chunk of this.#rechunker.push(frame)) this.#queue.add(chunk);
      this.#flushLater();
    } else {
      if (frame instanceof TTSStoppedFrame) this.#flush();
      this.#queue.add(frame);
    }
  }

  /** Plays a partial chunk padded with silence, unless more audio comes: a beep may be shorter than a chunk. */
  #flushLater(): void {
    clearTimeout(this.#flushTimer);
    const isIdle = this.#intake.isEmpty && this.#queue.isEmpty;
    if (this.#phase !== 'open' || !isIdle || !this.#rechunker.hasRemainder) return;
    this.#flushTimer = setTimeout(() => {
      this.#flushTimer = setTimeout(() => this.#flush(), flushGraceMs);
    }, flushDelayMs);
  }

  #flush(): void {
    clearTimeout(this.#flushTimer);
    for (const chunk of this.#rechunker.flush()) this.#queue.add(chunk);
  }

  #play(chunk: OutputAudioRawFrame): Promise<boolean> {
    if (chunk instanceof TTSAudioRawFrame) this.#speaking.onSpeech();
    this.#lastChunk = chunk;
    return this.#audio.play(chunk);
  }

  #deliver(frame: Frame): void | Promise<void> {
    if (frame instanceof OutputImageRawFrame) {
      this.#images?.show(frame);
      return;
    }
    if (frame instanceof TTSStoppedFrame) this.#speaking.stop();
    return this.#hooks.deliver(frame);
  }

  #ranEmpty(): void {
    this.#flushLater();
    this.#speaking.onEmpty();
    this.#playBackground();
  }

  #playBackground(): void {
    if (this.#hasListeners && this.#queue.isEmpty) this.#audio.playBackground();
  }

  #broadcast(frame: SystemFrame): void {
    frame.transportDestination = this.#options.destination;
    this.#hooks.broadcast(frame);
  }
}

/** Audio, and the text that is pushed in step with it. */
function isSpeech(frame: Frame): boolean {
  return frame instanceof OutputAudioRawFrame || frame instanceof TTSTextFrame;
}

function newRechunker({ params, sampleRate, hooks }: MediaSenderOptions): AudioRechunker {
  return new AudioRechunker({
    sampleRate,
    numChannels: params.audioOutChannels,
    samplesPerChunk: Math.round(sampleRate / 100) * params.audioOut10msChunks,
    createResampler: (fromHz) => hooks.createResampler(fromHz),
  });
}

function newImagePlayer({ destination, params, hooks }: MediaSenderOptions): ImagePlayer | undefined {
  const { videoOutEnabled, videoOutIsLive: isLive, videoOutFramerate: framerate } = params;
  if (!videoOutEnabled) return undefined;
  const writing = reportOnce(hooks.failed);
  return new ImagePlayer({
    isLive,
    framerate,
    write: async (image) => {
      // images of a sprite may have no destination of their own
      image.transportDestination = destination;
      return writing(() => hooks.writeVideoFrame(image), false);
    },
    shown: (frame) => hooks.push(frame),
  });
}

/** Interval between two BotSpeakingFrames. */
const speakingPeriodMs = 200;
/** Silence after which the bot has stopped, also without a TTSStoppedFrame. */
const silenceLimitMs = 3_000;

/** Derives BotStartedSpeaking, BotSpeaking and BotStoppedSpeaking frames from what is played. */
export class BotSpeakingTracker {
  readonly #broadcast: (frameClass: new () => SystemFrame) => void;
  #speaking = false;
  #lastSentMs = 0;
  #silence: ReturnType<typeof setTimeout> | undefined;

  /** @param broadcast Pushes a new frame of that class in both directions. */
  constructor(broadcast: (frameClass: new () => SystemFrame) => void) {
    this.#broadcast = broadcast;
  }

  /** To be called before each chunk of speech is played. */
  onSpeech(): void {
    clearTimeout(this.#silence);
    const nowMs = performance.now();
    if (!this.#speaking) {
      this.#speaking = true;
      this.#broadcast(BotStartedSpeakingFrame);
    } else if (nowMs - this.#lastSentMs < speakingPeriodMs) return;
    this.#lastSentMs = nowMs;
    this.#broadcast(BotSpeakingFrame);
  }

  /** To be called when nothing is left to play. */
  onEmpty(): void {
    if (!this.#speaking) return;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.stop(), silenceLimitMs);
  }

  /** Speech has ended or was interrupted. */
  stop(): void {
    clearTimeout(this.#silence);
    if (!this.#speaking) return;
    this.#speaking = false;
    this.#broadcast(BotStoppedSpeakingFrame);
  }

  /** Resets without pushing a frame. */
  reset(): void {
    clearTimeout(this.#silence);
    this.#speaking = false;
  }
}
