/** How deep calls nest; each takes about 3 kB of the stack. */
const maxDepth = 32;

/**
 * Calls of processors in direct mode. Each one calls the next from within; so that a long row of them does not exhaust
 * the stack, deeper ones run, in their order, when those above have returned and before the outermost one returns.
 */
class DirectCalls {
  #depth = 0;
  readonly #waiting: (() => void)[] = [];

  run(call: () => void): void {
    if (this.#depth === maxDepth || (this.#depth > 0 && this.#waiting.length > 0)) {
      this.#waiting.push(call);
      return;
    }
    this.#depth += 1;
    try {
      call();
      if (this.#depth > 1) return;
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next();
    } finally {
      this.#depth -= 1;
    }
  }
}

/** One for the process, as there is one stack. */
export const directCalls: DirectCalls = new DirectCalls();
