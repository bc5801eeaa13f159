/**
 * A timer that counts only while it runs: the time in which a provider is busy with a call, not that in which the call
 * waits for its turn. Without a limit it does nothing.
 */
export class Deadline implements Disposable {
  readonly #onPassed: () => void;
  #leftMs: number | null;
  #startedMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(limitMs: number | null, onPassed: () => void) {
    this.#leftMs = limitMs;
    this.#onPassed = onPassed;
  }

  run(): void {
    if (this.#leftMs === null || this.#timer !== null) return;
    this.#startedMs = performance.now();
    this.#timer = setTimeout(this.#onPassed, this.#leftMs);
  }

  pause(): void {
    if (this.#leftMs === null || this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - this.#startedMs));
  }

  [Symbol.dispose](): void {
    this.pause();
  }
}
