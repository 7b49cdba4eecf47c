/** Looking again and again, for as long as somebody looks at the page. */

import { Problem, Unreachable } from "./api.js";

const LONGEST_PAUSE = 60;

/**
 * Calls `look()` now and every `seconds`, never twice at a time, and not while the tab is hidden.
 * After a failure it comes more rarely, and never before a 429 or 503 wants it.
 */
export class Refresher {
  #seconds;
  #look;
  #timer = 0;
  #failures = 0;
  #notBefore = 0;
  #running = false;
  #looking = null;
  #again = false;
  #onVisibility = () => (document.hidden ? this.#rest() : this.#wake());

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

  /**
   * Look at once; the next look comes a whole pause after this one began. One that is under way may
   * have asked for what is not wanted any more, so another one follows it.
   */
  now() {
    if (!this.#running) return null;
    this.#again = this.#looking !== null;
    this.#looking ??= this.#once().finally(() => this.#over());
    return this.#looking;
  }

  #over() {
    this.#looking = null;
    if (this.#again && !document.hidden) this.now();
  }

  /** Somebody looks at the page again, who must not get around what the service asked for. */
  #wake() {
    const left = this.#notBefore - performance.now();
    if (left > 0) this.#lookIn(left);
    else this.now();
  }

  #lookIn(milliseconds) {
    this.#rest();
    this.#timer = setTimeout(() => this.now(), milliseconds);
  }

  #rest() {
    clearTimeout(this.#timer);
  }

  async #once() {
    this.#rest();
    const began = performance.now();
    const pause = await this.#pauseAfterLooking();
    const left = pause * 1000 - (performance.now() - began);
    if (this.#running && !document.hidden) this.#lookIn(Math.max(left, 250));
  }

  async #pauseAfterLooking() {
    try {
      await this.#look();
      this.#failures = 0;
      return this.#seconds;
    } catch (error) {
      // Anything else is a fault of the page itself, which nobody would see here.
      if (!(error instanceof Problem || error instanceof Unreachable)) reportError(error);
      return this.#pauseAfter(error);
    }
  }

  #pauseAfter(error) {
    const asked = error.retryAfter ?? 0;
    this.#failures += 1;
    this.#notBefore = performance.now() + asked * 1000;
    return Math.max(asked, Math.min(this.#seconds * 2 ** this.#failures, LONGEST_PAUSE));
  }
}
