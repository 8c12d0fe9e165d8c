/** A message on its way, and whom it is for: everybody by default. */
export interface OutgoingMessage {
  readonly data: Uint8Array;
  readonly identity: string | undefined;
}

export interface OutboxOptions {
  /** How many may wait. */
  readonly limit: number;
  /** A message was lost: too many waited, or it could not be sent. */
  readonly onLost: (error: unknown) => void;
}

type Send = (message: OutgoingMessage) => Promise<void>;

/** Messages in their order, one after the other; what is posted while nobody can send it waits. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #waiting: OutgoingMessage[] = [];
  #send: Send | undefined;
  #sending = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  post(message: OutgoingMessage): void {
    const { limit, onLost } = this.#options;
    if (this.#waiting.length >= limit) {
      onLost(new Error(`${limit} messages wait to be sent; another one was dropped`));
      return;
    }
    this.#waiting.push(message);
    void this.#sendAll();
  }

  /** Sends what waits, and what comes, until it is closed. */
  open(send: Send): void {
    this.#send = send;
    void this.#sendAll();
  }

  /** What is posted from now on waits; what waits already is forgotten. */
  close(): void {
    this.#send = undefined;
    this.#waiting.length = 0;
  }

  async #sendAll(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let send = this.#send; send !== undefined && this.#waiting.length > 0; send = this.#send) {
      await send(this.#waiting.shift() as OutgoingMessage).catch(this.#options.onLost);
    }
    this.#sending = false;
  }
}
