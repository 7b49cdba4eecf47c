/**
 * One job, looked at while it goes on. It is asked for every few seconds, and once it has been open
 * for a moment a stream takes that over: it tells what changes when it does. Without one (the
 * service has none to spare, the network breaks off, something in between gathers what comes), the
 * asking goes on as before.
 */

import { listen, Problem, Unreachable } from "./api.js";
import { Refresher } from "./refresh.js";

// Milliseconds. Who only passes by needs no stream.
const MOMENT = 1_000;
// What a stream that ended asks for, as its `retry` says.
const AGAIN = 3_000;
const NO_STREAM = 60_000;
// The service shows life every 15 s.
const SILENCE = 40_000;

/**
 * The same as a `Refresher`: `look()` asks for the facts, and `show(facts)` gets them from wherever
 * they come.
 */
export class Follower {
  #address;
  #show;
  #refresher;
  #running = false;
  #polling = false;
  #known = "";
  #timer = 0;
  #listening = null;
  #onVisibility = () => (document.hidden ? this.#hush() : this.#begin());

  constructor(seconds, address, { look, show }) {
    this.#address = `${address}/events`;
    this.#show = show;
    this.#refresher = new Refresher(seconds, async () => {
      const facts = await look();
      // What a stream has told meanwhile is newer.
      if (this.#polling) show(facts);
    });
  }

  start() {
    this.#running = true;
    document.addEventListener("visibilitychange", this.#onVisibility);
    this.#begin();
  }

  stop() {
    this.#running = false;
    this.#hush();
    this.#poll(false);
    document.removeEventListener("visibilitychange", this.#onVisibility);
  }

  /** Look at once, unless a stream tells what there is anyway. */
  now() {
    return this.#refresher.now();
  }

  #begin() {
    this.#poll(true);
    if (!document.hidden) this.#listenIn(MOMENT);
  }

  #hush() {
    clearTimeout(this.#timer);
    this.#listening?.abort();
    this.#listening = null;
  }

  #poll(on) {
    if (on === this.#polling) return;
    this.#polling = on;
    if (on) this.#refresher.start();
    else this.#refresher.stop();
  }

  #listenIn(milliseconds) {
    clearTimeout(this.#timer);
    // A browser that hands an answer over only as a whole would wait for the end of the stream.
    if ("body" in Response.prototype) this.#timer = setTimeout(() => this.#listen(), milliseconds);
  }

  async #listen() {
    const listening = new AbortController();
    this.#listening = listening;
    const pause = await this.#pauseAfter(listening);
    if (this.#listening !== listening) return;
    this.#poll(true);
    this.#listenIn(pause);
  }

  /** Listen for as long as something comes; return how long to wait before the next time. */
  async #pauseAfter(listening) {
    const alarm = new Alarm(() => listening.abort());
    try {
      const headers = this.#known ? { "Last-Event-ID": this.#known } : {};
      const pieces = await listen(this.#address, headers, listening.signal);
      for await (const event of eventsOf(pieces, alarm)) this.#hear(event, listening);
      return AGAIN;
    } catch (error) {
      const expected = error instanceof Problem || error instanceof Unreachable || error.name === "AbortError";
      if (!expected) reportError(error);
      return Math.max((error.retryAfter ?? 0) * 1000, NO_STREAM);
    } finally {
      alarm.stop();
    }
  }

  #hear({ id, event, data }, listening) {
    // What had come before somebody looked elsewhere.
    if (this.#listening !== listening) return;
    this.#poll(false);
    if (event !== "job") return;
    this.#known = id;
    this.#show(JSON.parse(data));
  }
}

/** Rings when it was not told for too long that something came. */
class Alarm {
  #ring;
  #timer = 0;

  constructor(ring) {
    this.#ring = ring;
    this.hear();
  }

  hear() {
    this.stop();
    this.#timer = setTimeout(this.#ring, SILENCE);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}

/** The events in what comes, `{id, event, data}` each; comments are signs of life. */
async function* eventsOf(pieces, alarm) {
  let rest = "";
  for (let { done, value } = await pieces.read(); !done; { done, value } = await pieces.read()) {
    alarm.hear();
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    yield* blocks.map(fieldsOf);
  }
}

function fieldsOf(block) {
  return Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s, 2)));
}
