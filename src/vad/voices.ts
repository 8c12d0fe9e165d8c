import { HeardVoice } from './heard-voice.ts';
import type { SpeechDetector } from './speech-detector.ts';
import type { CreateVADAnalyzer, VADAnalyzer } from './vad-analyzer.ts';

interface VoicesOptions {
  readonly createDetector: () => SpeechDetector;
  /** An analyzer could not be made, or let go of. */
  readonly failed: (error: unknown) => void;
}

/** The speakers, each with an analyzer of their own; the first one's is made before they speak. */
export class Voices {
  readonly #create: CreateVADAnalyzer;
  readonly #options: VoicesOptions;
  readonly #voices = new Map<string | undefined, HeardVoice | 'not yet' | 'deaf'>();
  #spare: VADAnalyzer | undefined;
  #isOpen = false;

  constructor(create: CreateVADAnalyzer, options: VoicesOptions) {
    this.#create = create;
    this.#options = options;
  }

  async prepare(): Promise<void> {
    this.#isOpen = true;
    if (this.#voices.size === 0) this.#spare ??= await this.#create();
  }

  /** @returns `undefined` while the analyzer is still being made, or when it has failed. */
  of(userId: string | undefined): HeardVoice | undefined {
    const known = this.#voices.get(userId) ?? this.#meet(userId);
    return typeof known === 'string' ? undefined : known;
  }

  /** Somebody has left; their analyzer is let go of. */
  remove(userId: string): HeardVoice | undefined {
    const voice = this.#voices.get(userId);
    this.#voices.delete(userId);
    if (!(voice instanceof HeardVoice)) return undefined;
    this.#letGo(voice);
    return voice;
  }

  /** Does not listen to a speaker any more. */
  deafen(voice: HeardVoice): void {
    if (this.#voices.get(voice.userId) !== voice) return;
    this.#voices.set(voice.userId, 'deaf');
    this.#letGo(voice);
  }

  /** Everybody is silent. */
  reset(): void {
    for (const voice of this.#voices.values()) if (voice instanceof HeardVoice) voice.reset();
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    const analyzers = [this.#spare, ...this.#voices.values()];
    this.#spare = undefined;
    this.#voices.clear();
    await Promise.all(analyzers.map((one) => (typeof one === 'string' ? undefined : one?.close?.())));
  }

  #meet(userId: string | undefined): HeardVoice | 'not yet' {
    const made = this.#spare ?? this.#make();
    this.#spare = undefined;
    if (!(made instanceof Promise)) return this.#add(userId, made);
    this.#voices.set(userId, 'not yet');
    made.then(
      (analyzer) => {
        // the run may be over by now, or the speaker gone
        if (this.#isOpen && this.#voices.get(userId) === 'not yet') this.#add(userId, analyzer);
        else void analyzer.close?.();
      },
      (error) => {
        this.#voices.set(userId, 'deaf');
        this.#options.failed(error);
      },
    );
    return 'not yet';
  }

  #make(): VADAnalyzer | Promise<VADAnalyzer> {
    try {
      return this.#create();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #add(userId: string | undefined, analyzer: VADAnalyzer): HeardVoice {
    const voice = new HeardVoice(userId, analyzer, this.#options.createDetector());
    this.#voices.set(userId, voice);
    return voice;
  }

  #letGo(voice: HeardVoice): void {
    voice.close().catch(this.#options.failed);
  }
}
