/** A queue of data messages that waits for the connection. */

/** A message to send. */
export interface OutgoingMessage {
  readonly data: Uint8Array;
  /** The recipient; `undefined` for all participants. */
  readonly identity: string | undefined;
}

/** Limits and error handling of an {@link Outbox}. */
export interface OutboxOptions {
  /** Maximum number of queued messages. */
  readonly limit: number;
  /** Called for each message that was dropped as the queue is full, or could not be sent. */
  readonly onLost: (error: unknown) => void;
}

type Send = (message: OutgoingMessage) => Promise<void>;

/** Sends messages in order, one at a time; queues them while it is closed. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #queue: OutgoingMessage[] = [];
  #send: Send | undefined;
  #sending = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Queues a message; drops it when the queue is full. */
  post(message: OutgoingMessage): void {
    const { limit, onLost } = this.#options;
    if (this.#queue.length >= limit) {
      onLost(new Error(`${limit} messages wait to be sent; another one was dropped`));
      return;
    }
    this.#queue.push(message);
    void this.#sendAll();
  }

  /** Sends the queue and later messages, until it is closed. */
  open(send: Send): void {
    this.#send = send;
    void this.#sendAll();
  }

  /** Clears the queue; later messages are queued. */
  close(): void {
    this.#send = undefined;
    this.#queue.length = 0;
  }

  async #sendAll(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let send = this.#send; send !== undefined && this.#queue.length > 0; send = this.#send) {
      await send(this.#queue.shift() as OutgoingMessage).catch(this.#options.onLost);
    }
    this.#sending = false;
  }
}
