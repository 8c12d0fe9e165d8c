import type { Logger } from '../../lib/logger.ts';
import type { RemoteTrack } from './load-rtc-node.ts';

/** Reads tracks of participants, each until it ends, is stopped, or nobody reads any more. */
export class TrackReaders {
  readonly #logger: Logger;
  readonly #cancels = new Map<RemoteTrack, () => Promise<void>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  has(track: RemoteTrack): boolean {
    return this.#cancels.has(track);
  }

  read<Value>(
    track: RemoteTrack,
    stream: ReadableStream<Value>,
    identity: string,
    onValue: (value: Value) => void,
  ): void {
    const reader = stream.getReader();
    const cancel = (): Promise<void> => reader.cancel();
    this.#cancels.set(track, cancel);
    const readAll = async (): Promise<void> => {
      for (let next = await reader.read(); !next.done; next = await reader.read()) onValue(next.value);
    };
    readAll()
      .catch((error) => this.#logger.warn({ identity, error }, 'a track is not received any more'))
      .finally(() => {
        if (this.#cancels.get(track) === cancel) this.#cancels.delete(track);
      });
  }

  stop(track: RemoteTrack): void {
    const cancel = this.#cancels.get(track);
    this.#cancels.delete(track);
    cancel?.().catch(() => {});
  }

  stopAll(): void {
    for (const track of [...this.#cancels.keys()]) this.stop(track);
  }
}
