/** What several pages are put together from: badges, pictures, states, stops. */

import { pictureAt } from "./api.js";
import { el, fill, say } from "./dom.js";
import { icon } from "./icons.js";

const STATUSES = {
  PENDING: "Waiting",
  RUNNING: "Running",
  DONE: "Done",
  FAILED: "Failed",
  CANCELED: "Canceled",
};
const RETRIES = 3;
const RETRY_PAUSE = 1500;

/** A status as a word with a sign and a colour; `update(status)` changes it. */
export function badge() {
  const element = el("span");
  let shown = null;
  function update(status) {
    if (status === shown) return;
    shown = status;
    element.className = `badge ${status.toLowerCase()}`;
    const sign = icon(status.toLowerCase());
    if (status === "RUNNING") sign.classList.add("turning");
    fill(element, sign, STATUSES[status]);
  }
  return { element, update };
}

/** How many of a job's images are final. */
export function finalImages(job) {
  return job.completedImages + job.failedImages + job.canceledImages;
}

/** A job's progress: a bar and the same in words. */
export function progress(name) {
  const bar = el("progress", { "aria-label": name, max: 1, value: 0 });
  const words = el("p", { class: "small soft numbers" });
  function update(job) {
    bar.className = job.status.toLowerCase();
    bar.max = job.totalImages;
    bar.value = finalImages(job);
    const failed = job.failedImages ? `, ${job.failedImages} failed` : "";
    const canceled = job.canceledImages ? `, ${job.canceledImages} canceled` : "";
    say(words, `${job.completedImages} of ${job.totalImages} images ready${failed}${canceled}`);
  }
  return { element: el("div", { class: "stack tight" }, bar, words), update };
}

/**
 * A picture that has its place before it comes, comes when it is scrolled to, and says so when it
 * does not come. `sizes` is how wide it is shown, as the attribute of an image says it.
 */
export function picture({ address, alt, sizes, whole = false }) {
  const box = el("div", { class: whole ? "picture whole" : "picture" });
  if (address) load(box, { address, alt, sizes }, RETRIES);
  else fill(box, nothing("No preview"));
  return box;
}

function load(box, facts, retries) {
  const { address, alt, sizes } = facts;
  const image = el("img", {
    alt,
    sizes,
    loading: "lazy",
    decoding: "async",
    width: 640,
    height: 640,
    srcset: [320, 640, 1280].map((width) => `${pictureAt(address, width)} ${width}w`).join(", "),
    src: pictureAt(address, 640),
    onload: () => box.classList.remove("coming"),
    onerror: () => missing(box, facts, retries),
  });
  box.classList.add("coming");
  fill(box, image);
}

/** Somebody may have been busy: ask again, ever more slowly, and then say what is the matter. */
function missing(box, facts, retries) {
  if (retries && box.isConnected) {
    setTimeout(() => load(box, facts, retries - 1), RETRY_PAUSE * 2 ** (RETRIES - retries));
    return;
  }
  box.classList.remove("coming");
  fill(box, nothing("No picture", facts.alt));
}

function nothing(words, alt = "") {
  const hidden = alt && el("span", { class: "visually-hidden" }, `: ${alt}`);
  return el("span", { class: "nothing" }, icon("picture"), el("span", {}, words, hidden));
}

/** A page or a part of it that has nothing to show: what it is, and what to do next. */
export function state({ sign, title, words, actions = [], bad = false, level = "h2" }) {
  return el(
    "section",
    { class: bad ? "state bad" : "state" },
    icon(sign),
    el(level, {}, title),
    el("p", {}, words),
    el("div", { class: "row" }, actions),
  );
}

/** A sentence that stops somebody, or tells that it went well. */
export function stop(title, words, { good = false, role = "alert" } = {}) {
  return el(
    "div",
    { class: good ? "stop good" : "stop", role },
    icon(good ? "done" : "failed"),
    el("div", {}, el("strong", {}, title), el("p", {}, words)),
  );
}

/** A button; `look` is one of "primary", "plain", or nothing. */
export function button(words, { look = "", sign = null, ...attributes } = {}) {
  const kind = { type: "button", class: `button ${look}`.trim(), ...attributes };
  return el("button", kind, sign && icon(sign), words);
}

/**
 * A button that asks before it acts. `act` may take its time; what goes wrong is told in its place.
 * `more` are attributes of the button, as its name where several have the same words.
 */
export function askingButton(words, { question, yes, act, explain, look = "", ...more }) {
  const element = el("div", { class: "asking" });
  const first = button(words, { look, ...more, onclick: ask });
  const told = el("div");
  function rest(...said) {
    fill(element, first, told);
    fill(told, said);
  }
  function ask() {
    if (first.getAttribute("aria-disabled")) return;
    const no = button("No", { look: "plain", onclick: back });
    const sure = button(yes, { look: "primary", onclick: go });
    fill(element, el("p", { class: "small", role: "status" }, question), el("div", { class: "row" }, sure, no));
    no.focus();
  }
  function back() {
    rest();
    first.focus();
  }
  async function go() {
    rest();
    first.setAttribute("aria-disabled", "true");
    first.focus();
    try {
      await act();
    } catch (error) {
      const { title, words: why } = explain(error);
      rest(stop(title, why));
    } finally {
      first.removeAttribute("aria-disabled");
    }
  }
  rest();
  return element;
}

/** A link that looks like one. */
export function linkButton(words, href, { look = "", sign = null, ...attributes } = {}) {
  return el("a", { href, class: `button ${look}`.trim(), ...attributes }, sign && icon(sign), words);
}
