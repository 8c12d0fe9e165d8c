/** LiveKit's clock, as far as it can be known without trusting our own. */

import type { ListedRoom } from '../rooms/room-rest.ts';

/**
 * Tells LiveKit's time now, or an earlier one: never a later one, because rooms are too old by it.
 *
 * Two clocks have to agree, and the earlier one counts: our own calendar, and the `Date` of LiveKit's answers,
 * for which its {@link fetch} has to be given to a `LiveKitRESTHelper`. Without that, the creation of the newest
 * room takes its place. One wrong clock alone, ours, a proxy's or that of one LiveKit node, makes no room old.
 */
export class ServerClock {
  readonly #steadyMs: () => number;
  readonly #calendarMs: () => number;
  /** LiveKit's time minus our steady clock, at least, as far as its nodes agree. */
  #boundMs = Number.NEGATIVE_INFINITY;
  #dateMs: number | undefined;

  /** The parameters are for tests. */
  constructor(steadyMs: () => number = () => performance.now(), calendarMs: () => number = Date.now) {
    this.#steadyMs = steadyMs;
    this.#calendarMs = calendarMs;
  }

  /** The global `fetch`, with an eye on the `Date` header. */
  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await globalThis.fetch(input, init);
    this.heard(response.headers.get('date'));
    return response;
  };

  /** Takes note of a `Date` header; anything that is none is ignored. */
  heard(date: string | null): void {
    const timeMs = Date.parse(date ?? '');
    if (Number.isFinite(timeMs)) this.#dateMs = timeMs - this.#steadyMs();
  }

  /** Takes note of rooms: LiveKit's clock is past their creation. */
  saw(rooms: readonly Pick<ListedRoom, 'creationTimeMs'>[]): void {
    const steadyMs = this.#steadyMs();
    for (const { creationTimeMs } of rooms) {
      this.#boundMs = Math.max(this.#boundMs, creationTimeMs - steadyMs);
    }
  }

  /** Milliseconds since 1970; `undefined` as long as nothing is known. */
  nowMs(): number | undefined {
    const heardMs = (this.#dateMs ?? this.#boundMs) + this.#steadyMs();
    const nowMs = Math.min(heardMs, this.#calendarMs());
    return Number.isFinite(nowMs) ? nowMs : undefined;
  }
}
