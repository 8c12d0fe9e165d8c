import { OutputAudioRawFrame, TTSAudioRawFrame } from '../frames/audio.ts';
import type { Frame, SystemFrame } from '../frames/frame.ts';
import { checkAudio } from '../frames/frame-checks.ts';
import { OutputImageRawFrame, SpriteFrame } from '../frames/images.ts';
import { MixerControlFrame } from '../frames/mixer.ts';
import { TTSStoppedFrame, TTSTextFrame } from '../frames/text.ts';
import { BotSpeech } from './bot-speech.ts';
import type { MediaSenderHooks, MediaSenderOptions } from './media-sender-options.ts';
import { OutputAudioCutter } from './output-audio-cutter.ts';
import { OutputIntake } from './output-intake.ts';
import { OutputQueue } from './output-queue.ts';
import { PictureShow } from './picture-show.ts';
import { RowOfFailures } from './row-of-failures.ts';
import { SoundWriter } from './sound-writer.ts';

/**
 * How long the rest of a sound waits for more of it when everything else was written. Longer than the time between
 * the pieces of a stream, and shorter than what a media server may still have to play.
 */
const restWaitMs = 130;
/** Once more, for what came while the event loop stood still: timers fire before it is handled. */
const restGraceMs = 20;

/**
 * `closed`: before the StartFrame, and after the run. `ending`: an EndFrame plays out, whatever comes.
 * `cancelled`: nothing is played any more.
 */
type Phase = 'closed' | 'open' | 'ending' | 'cancelled';

/**
 * What goes to one destination in one run: its sound and pictures, and the frames that wait behind them.
 *
 * @see Pipecat `transports/base_output.py`, `MediaSender`
 */
export class MediaSender {
  readonly #options: MediaSenderOptions;
  readonly #hooks: MediaSenderHooks;
  readonly #intake: OutputIntake;
  readonly #queue: OutputQueue;
  readonly #speech: BotSpeech;
  readonly #cutter: OutputAudioCutter;
  readonly #sound: SoundWriter;
  readonly #pictures: PictureShow | undefined;
  #phase: Phase = 'closed';
  #isListened = true;
  #lastChunk: OutputAudioRawFrame | undefined;
  #restTimer: ReturnType<typeof setTimeout> | undefined;

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
      cut: () => void this.#sound.clear(),
      failed: hooks.failed,
      ranEmpty: () => this.#ranEmpty(),
    });
    this.#speech = new BotSpeech((frameClass) => this.#broadcast(new frameClass()));
    this.#cutter = newCutter(options);
    this.#sound = new SoundWriter(options);
    this.#pictures = newPictures(options);
  }

  /** Frames are played from now on. */
  start(): void {
    this.#phase = 'open';
    this.#sound.start(() => this.#playBackground());
  }

  /** Takes a data or control frame, which waits for its turn. */
  take(frame: Frame): void {
    if (!this.#isListened && isSpeech(frame)) return;
    if (frame instanceof OutputAudioRawFrame) this.#takeSound(frame);
    else if (frame instanceof OutputImageRawFrame || frame instanceof SpriteFrame) this.#takePicture(frame);
    else if (frame instanceof MixerControlFrame) this.#sound.order(frame);
    else this.#intake.add(frame);
  }

  /** @returns Whether anything may be interrupted: what an EndFrame waits for may not. */
  interrupt(): boolean {
    if (this.#phase !== 'open') return false;
    this.#intake.drop((frame) => !frame.uninterruptible);
    this.#queue.clear();
    this.#cutter.clear();
    this.#flushSoon();
    this.#pictures?.interrupt();
    if (this.#lastChunk?.uninterruptible !== true) void this.#sound.clear();
    return true;
  }

  /** Tells that the bot does not speak any more, where it did. */
  stopSpeech(): void {
    this.#speech.stop();
  }

  /**
   * Whether anybody is there to hear it. While nobody is, sound is dropped, whatever it is, and so are the words that
   * go with it; everything else passes.
   */
  listened(isListened: boolean): void {
    if (isListened === this.#isListened) return;
    this.#isListened = isListened;
    if (isListened) this.#playBackground();
    else this.#dropSpeech();
  }

  /** Resolves when everything was played to the last sample, and silence after it. It cannot be interrupted. */
  async end(): Promise<void> {
    this.#phase = 'ending';
    await this.#drain();
  }

  /** Resolves when everything was played. Until then it can be interrupted. */
  async stop(): Promise<void> {
    await this.#drain();
    if (this.#phase === 'open') this.#phase = 'closed';
  }

  /** Stops at once. */
  cancel(): void {
    this.#drop('cancelled');
    void this.#sound.clear();
  }

  /** Lets go of everything. */
  close(): void {
    this.#drop('closed');
    this.#cutter.close();
  }

  #drop(phase: 'cancelled' | 'closed'): void {
    this.#phase = phase;
    clearTimeout(this.#restTimer);
    this.#intake.drop(() => true);
    this.#queue.clearAll();
    this.#cutter.clear();
    this.#speech.forget();
    this.#pictures?.stop();
    void this.#sound.stop();
  }

  #dropSpeech(): void {
    this.#intake.drop(isSpeech);
    this.#queue.drop(isSpeech);
    clearTimeout(this.#restTimer);
    this.#cutter.close();
    if (this.#phase === 'ending') this.#pictures?.stop();
    void this.#sound.pauseBackground();
    void this.#sound.clear();
    this.#speech.stop();
  }

  async #drain(): Promise<void> {
    await this.#intake.whenEmpty();
    this.#flush();
    await this.#queue.whenEmpty();
    await this.#pictures?.whenOver();
    await this.#sound.pauseBackground();
    const isHeardEnding = (): boolean => this.#phase === 'ending' && this.#isListened;
    if (isHeardEnding()) await this.#sound.playSilence(this.#options.params.endSilenceMs, isHeardEnding);
    await this.#sound.whenHeard();
    this.#speech.stop();
    this.#pictures?.stop();
    await this.#sound.stop();
  }

  #takeSound(frame: OutputAudioRawFrame): void {
    // it may have been changed since it was made
    checkAudio(frame);
    if (!this.#options.params.audioOutEnabled) this.#hooks.isOff('audioOutEnabled');
    else if (this.#phase === 'open') this.#intake.add(frame);
  }

  #takePicture(frame: OutputImageRawFrame | SpriteFrame): void {
    if (this.#pictures === undefined) this.#hooks.isOff('videoOutEnabled');
    else if (this.#phase !== 'open') return;
    else if (frame instanceof OutputImageRawFrame && frame.syncWithAudio) this.#intake.add(frame);
    else this.#pictures.show(frame);
  }

  #enqueue(frame: Frame): void {
    if (frame instanceof OutputAudioRawFrame) {
      for (const chunk of this.#cutter.push(frame)) this.#queue.add(chunk);
      this.#flushSoon();
    } else {
      if (frame instanceof TTSStoppedFrame) this.#flush();
      this.#queue.add(frame);
    }
  }

  /** Plays what is less than a chunk, filled up with silence, unless more comes: a beep may be shorter than a chunk. */
  #flushSoon(): void {
    clearTimeout(this.#restTimer);
    const isIdle = this.#intake.isEmpty && this.#queue.isEmpty;
    if (this.#phase !== 'open' || !isIdle || !this.#cutter.holdsRest) return;
    this.#restTimer = setTimeout(() => {
      this.#restTimer = setTimeout(() => this.#flush(), restGraceMs);
    }, restWaitMs);
  }

  #flush(): void {
    clearTimeout(this.#restTimer);
    for (const chunk of this.#cutter.flush()) this.#queue.add(chunk);
  }

  #play(chunk: OutputAudioRawFrame): Promise<boolean> {
    if (chunk instanceof TTSAudioRawFrame) this.#speech.heard();
    this.#lastChunk = chunk;
    return this.#sound.play(chunk);
  }

  #deliver(frame: Frame): void | Promise<void> {
    if (frame instanceof OutputImageRawFrame) {
      this.#pictures?.show(frame);
      return;
    }
    if (frame instanceof TTSStoppedFrame) this.#speech.stop();
    return this.#hooks.deliver(frame);
  }

  #ranEmpty(): void {
    this.#flushSoon();
    this.#speech.ranOut();
    this.#playBackground();
  }

  #playBackground(): void {
    if (this.#isListened && this.#queue.isEmpty) this.#sound.playBackground();
  }

  #broadcast(frame: SystemFrame): void {
    frame.transportDestination = this.#options.destination;
    this.#hooks.broadcast(frame);
  }
}

/** Sound, and the words that are told in step with it. */
function isSpeech(frame: Frame): boolean {
  return frame instanceof OutputAudioRawFrame || frame instanceof TTSTextFrame;
}

function newCutter({ params, sampleRate, hooks }: MediaSenderOptions): OutputAudioCutter {
  return new OutputAudioCutter({
    sampleRate,
    numChannels: params.audioOutChannels,
    samplesPerChunk: Math.round(sampleRate / 100) * params.audioOut10msChunks,
    createResampler: (fromHz) => hooks.createResampler(fromHz),
  });
}

function newPictures({ destination, params, hooks }: MediaSenderOptions): PictureShow | undefined {
  const { videoOutEnabled, videoOutIsLive: isLive, videoOutFramerate: framerate } = params;
  if (!videoOutEnabled) return undefined;
  const writing = new RowOfFailures(hooks.failed);
  return new PictureShow({
    isLive,
    framerate,
    write: async (image) => {
      // those of a sprite need not say where they go
      image.transportDestination = destination;
      return writing.run(() => hooks.writeVideoFrame(image), false);
    },
    shown: (frame) => hooks.push(frame),
  });
}
