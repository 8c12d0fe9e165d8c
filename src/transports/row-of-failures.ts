/** Runs one piece of work after the other and reports only the first failure of a row: there are 25 chunks a second. */
export class RowOfFailures {
  readonly #report: (error: unknown) => void;
  #failing = false;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** @returns What the work gave; `fallback` where it failed. Never rejects. */
  async run<T>(work: () => T | Promise<T>, fallback: T): Promise<T> {
    try {
      const result = await work();
      this.#failing = false;
      return result;
    } catch (error) {
      if (!this.#failing) this.#report(error);
      this.#failing = true;
      return fallback;
    }
  }
}
