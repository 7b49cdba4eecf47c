/** Looking again and again, for as long as somebody looks at the page. */

const LONGEST_PAUSE = 60;

/**
 * Calls `look()` now and every `seconds`, never twice at a time, and not while the tab is hidden.
 * After a failure it comes more rarely, and as a 429 or 503 asks.
 */
export class Refresher {
  #seconds;
  #look;
  #timer = 0;
  #failures = 0;
  #running = false;
  #looking = null;
  #onVisibility = () => (document.hidden ? this.#rest() : this.now());

  constructor(seconds, look) {
    this.#seconds = seconds;
    this.#look = look;
  }

  /** Begin; returns when the first look is over. */
  start() {
    this.#running = true;
    document.addEventListener("visibilitychange", this.#onVisibility);
    return this.now();
  }

  /** End for good. */
  stop() {
    this.#running = false;
    this.#rest();
    document.removeEventListener("visibilitychange", this.#onVisibility);
  }

  /** Look at once; the next look comes a whole pause after this one began. */
  now() {
    this.#looking ??= this.#once().finally(() => (this.#looking = null));
    return this.#looking;
  }

  #rest() {
    clearTimeout(this.#timer);
  }

  async #once() {
    this.#rest();
    const began = performance.now();
    const pause = await this.#pauseAfterLooking();
    const left = pause * 1000 - (performance.now() - began);
    if (this.#running && !document.hidden) this.#timer = setTimeout(() => this.now(), Math.max(left, 250));
  }

  async #pauseAfterLooking() {
    try {
      await this.#look();
      this.#failures = 0;
      return this.#seconds;
    } catch (error) {
      this.#failures += 1;
      return Math.max(error.retryAfter ?? 0, Math.min(this.#seconds * 2 ** this.#failures, LONGEST_PAUSE));
    }
  }
}
