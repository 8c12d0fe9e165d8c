import { type Company, isCompany } from '../../frames/participants.ts';
import type { Participant } from '../room-input.ts';

/** Those in the room who count as company, and since when. */
export class Listeners {
  readonly #company: Company;
  readonly #since = new Map<string, number>();

  constructor(company: Company) {
    this.#company = company;
  }

  /** When each was first seen, by identity; milliseconds of `performance.now()`. */
  get since(): ReadonlyMap<string, number> {
    return this.#since;
  }

  joined({ identity, kind }: Participant): void {
    if (isCompany(kind, this.#company)) this.#since.set(identity, performance.now());
  }

  left(identity: string): void {
    this.#since.delete(identity);
  }
}
