/** Remembers ids until they can no longer come with a valid token. */
export class SeenIds {
  readonly #untilMs = new Map<string, number>();

  /** False for an id that was there already. */
  add(id: string, nowMs: number, untilMs: number): boolean {
    this.#forget(nowMs);
    if (this.#untilMs.has(id)) return false;
    this.#untilMs.set(id, untilMs);
    return true;
  }

  get size(): number {
    return this.#untilMs.size;
  }

  /** Only from the front: ids are in the order of their coming, and go in nearly the same. */
  #forget(nowMs: number): void {
    for (const [id, untilMs] of this.#untilMs) {
      if (untilMs > nowMs) return;
      this.#untilMs.delete(id);
    }
  }
}
