/**
 * Rooms of another media server: all that a `RoomDeleter` needs to know is how to delete one by its name. Here
 * it is Daily's REST API.
 *
 * Run:      npm run build
 *           DAILY_API_KEY=… node examples/08-daily-rooms.ts ROOM       (Node 22.18 or later)
 * You see:  deleted, 1 attempts       already-gone, when there is no such room
 */

import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { type RestCallOptions, RoomDeleter, type RoomRest } from 'endframe/livekit';

export interface DailyRestOptions {
  readonly apiKey: string;
  /** Default: Daily's own. */
  readonly apiUrl?: string | undefined;
}

/** One attempt to delete a room of Daily; retries, the deadline and the outcome are the deleter's. */
export class DailyRest implements RoomRest {
  readonly #apiKey: string;
  readonly #apiUrl: string;

  constructor({ apiKey, apiUrl = 'https://api.daily.co/v1' }: DailyRestOptions) {
    this.#apiKey = apiKey;
    this.#apiUrl = apiUrl;
  }

  async deleteRoomByName(roomName: string, { signal }: RestCallOptions = {}): Promise<true> {
    const limit = AbortSignal.timeout(3_000);
    const response = await fetch(`${this.#apiUrl}/rooms/${encodeURIComponent(roomName)}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${this.#apiKey}` },
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    const body = (await response.json().catch(() => null)) as { deleted?: boolean; error?: string } | null;
    if (response.status === 200 && body?.deleted === true) return true;
    // the deleter reads both; a 404 without Daily's own word for it may be a proxy's
    const code = body?.error === 'not-found' ? 'not_found' : undefined;
    throw Object.assign(new Error(`Daily answered ${response.status}`), { status: response.status, code });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { DAILY_API_KEY: apiKey = '', DAILY_API_URL: apiUrl } = process.env;
  const rest = new DailyRest({ apiKey, apiUrl });
  const deleter = new RoomDeleter({ roomName: process.argv[2] ?? '', rest });
  const { status, attempts } = await deleter.deleteRoom('manual');
  console.log(`${status}, ${attempts} attempts`);
}
