import type { Redis } from './load-bullmq.ts';

export interface RedisPresenceOptions {
  /** Told each time a connection is lost or cannot be made, and why where that is known. */
  readonly onAway: (error?: Error) => void;
  /** Told when all connections are there. */
  readonly onBack: () => void;
}

/** Whether Redis is there, by the state of the connections alone: what BullMQ reports of its jobs says nothing of it. */
export class RedisPresence {
  readonly #options: RedisPresenceOptions;
  readonly #connections: Redis[] = [];

  constructor(options: RedisPresenceOptions) {
    this.#options = options;
  }

  get isAway(): boolean {
    return this.#connections.some(({ status }) => status !== 'ready');
  }

  add(connection: Redis): void {
    const { onAway, onBack } = this.#options;
    this.#connections.push(connection);
    connection.on('error', onAway);
    connection.on('close', () => onAway());
    connection.on('ready', () => {
      if (!this.isAway) onBack();
    });
  }
}
