import { InvalidOptionError } from '../lib/errors.ts';
import { isRateHz } from '../lib/options.ts';
import { HeardVoice, type VoiceSource } from './heard-voice.ts';
import type { SpeechDetector } from './speech-detector.ts';
import type { CreateVADAnalyzer, VADAnalyzer } from './vad-analyzer.ts';

interface VoicesOptions {
  readonly createDetector: () => SpeechDetector;
  /** An analyzer could not be made, or let go of. */
  readonly failed: (error: unknown) => void;
}

type Voice = HeardVoice | 'not yet' | 'deaf';

/** The speakers' tracks, each with an analyzer of its own; the first one's is made before the run. */
export class Voices {
  readonly #create: CreateVADAnalyzer;
  readonly #options: VoicesOptions;
  /** By the speaker's identity, then by the track's source. */
  readonly #voices = new Map<string | undefined, Map<string | undefined, Voice>>();
  #spare: VADAnalyzer | undefined;
  #isOpen = false;

  constructor(create: CreateVADAnalyzer, options: VoicesOptions) {
    this.#create = create;
    this.#options = options;
  }

  /** @throws What making the first analyzer throws; then nobody is listened to. */
  async prepare(): Promise<void> {
    if (this.#voices.size === 0) this.#spare ??= checked(await this.#create());
    this.#isOpen = true;
  }

  /** @returns `undefined` while the analyzer is still being made, or when it has failed. */
  of(source: VoiceSource): HeardVoice | undefined {
    if (!this.#isOpen) return undefined;
    const known = this.#get(source) ?? this.#meet(source);
    return typeof known === 'string' ? undefined : known;
  }

  /** Somebody has left; their analyzers are let go of. */
  remove(userId: string): HeardVoice[] {
    const voices = [...(this.#voices.get(userId)?.values() ?? [])].filter(isHeard);
    this.#voices.delete(userId);
    for (const voice of voices) this.#letGo(voice);
    return voices;
  }

  /** Does not listen to a track any more. */
  deafen(voice: HeardVoice): void {
    if (this.#get(voice) !== voice) return;
    this.#set(voice, 'deaf');
    this.#letGo(voice);
  }

  /** Everybody is silent. */
  reset(): void {
    for (const voice of this.#heard()) {
      try {
        voice.reset();
      } catch (error) {
        this.#options.failed(error);
      }
    }
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    const analyzers = [this.#spare, ...this.#heard()];
    this.#spare = undefined;
    this.#voices.clear();
    await Promise.all(analyzers.map(async (one) => one?.close?.()));
  }

  #get({ userId, transportSource }: VoiceSource): Voice | undefined {
    return this.#voices.get(userId)?.get(transportSource);
  }

  #set({ userId, transportSource }: VoiceSource, voice: Voice): void {
    const ofUser = this.#voices.get(userId) ?? new Map<string | undefined, Voice>();
    this.#voices.set(userId, ofUser.set(transportSource, voice));
  }

  #heard(): HeardVoice[] {
    return [...this.#voices.values()].flatMap((ofUser) => [...ofUser.values()]).filter(isHeard);
  }

  #meet(source: VoiceSource): HeardVoice | 'not yet' {
    const made = this.#spare ?? this.#make();
    this.#spare = undefined;
    if (!(made instanceof Promise)) return this.#add(source, made);
    this.#set(source, 'not yet');
    made.then(
      (analyzer) => {
        // the run may be over by now, or the speaker gone
        if (this.#isOpen && this.#get(source) === 'not yet') this.#add(source, analyzer);
        else this.#letGo(analyzer);
      },
      (error) => {
        this.#set(source, 'deaf');
        this.#options.failed(error);
      },
    );
    return 'not yet';
  }

  /** A promise also where making one throws at once. */
  #make(): VADAnalyzer | Promise<VADAnalyzer> {
    try {
      const made = this.#create();
      return made instanceof Promise ? made.then(checked) : checked(made);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #add(source: VoiceSource, analyzer: VADAnalyzer): HeardVoice {
    const voice = new HeardVoice(source, analyzer, this.#options.createDetector());
    this.#set(source, voice);
    return voice;
  }

  #letGo(one: HeardVoice | VADAnalyzer): void {
    const closed = async (): Promise<void> => one.close?.();
    closed().catch(this.#options.failed);
  }
}

function isHeard(voice: Voice): voice is HeardVoice {
  return voice instanceof HeardVoice;
}

/** @throws {InvalidOptionError} It is no analyzer: sound could not be cut for it. */
function checked(analyzer: VADAnalyzer): VADAnalyzer {
  const { sampleRate, chunkSamples } = analyzer ?? {};
  const isRight =
    typeof analyzer?.analyze === 'function' &&
    typeof analyzer.reset === 'function' &&
    isRateHz(sampleRate) &&
    Number.isInteger(chunkSamples) &&
    chunkSamples > 0;
  if (isRight) return analyzer;
  const expected =
    'a function that makes an analyzer: analyze(), reset(), sampleRate in hertz and chunkSamples';
  throw new InvalidOptionError('createAnalyzer', expected, analyzer);
}
