/** Before and after in full size: a slider that a mouse, a finger and the arrow keys move. */

import { downloadOf, pictureAt } from "./api.js";
import { el, fill, freshId, say } from "./dom.js";
import { button, linkButton } from "./parts.js";

const WIDTH = 2048;
const MIDDLE = 50;
const PAUSES = [1000, 2000];
const USUAL_SHAPE = 4 / 3;

/** One dialog for a page; `open(items, place)` shows the item at that place of the list. */
export class Comparison {
  #items = [];
  #place = 0;
  #title = el("h2", { id: freshId("compared"), class: "clip" });
  #count = el("p", { class: "small soft numbers" });
  #prompt = el("p", { class: "prompt anywhere" });
  #viewer = el("div", { class: "viewer" });
  #slider = el("input", { class: "slider", type: "range", min: 0, max: 100, value: MIDDLE, "aria-label": "Before to after", oninput: () => this.#split() });
  #before = button("Previous", { sign: "left", onclick: () => this.#go(-1) });
  #after = button("Next", { sign: "right", onclick: () => this.#go(1) });
  #download = linkButton("Download", "", { sign: "download", download: "" });
  #dialog;

  constructor() {
    const close = button("", { look: "plain square", sign: "close", "aria-label": "Close", onclick: () => this.#dialog.close() });
    this.#dialog = el(
      "dialog",
      { class: "comparison", "aria-labelledby": this.#title.id },
      el("div", { class: "comparison-top row spread nowrap" }, el("div", { class: "narrow", "aria-live": "polite" }, this.#title, this.#count), close),
      el("div", { class: "stage" }, this.#viewer),
      el("div", { class: "comparison-end" }, this.#prompt, el("div", { class: "row" }, this.#before, this.#after, this.#download)),
    );
    document.body.append(this.#dialog);
  }

  open(items, place) {
    this.#items = items;
    this.#dialog.showModal();
    this.#show(place);
    this.#slider.focus();
  }

  #go(step) {
    this.#show((this.#place + step + this.#items.length) % this.#items.length);
  }

  #show(place) {
    this.#place = place;
    const item = this.#items[place];
    const many = this.#items.length;
    say(this.#title, item.imageId);
    say(this.#count, `${place + 1} of ${many}`);
    say(this.#prompt, item.prompt);
    this.#before.hidden = many < 2;
    this.#after.hidden = many < 2;
    this.#download.href = downloadOf(item.optimizedImageUrl);
    fill(this.#viewer, this.#pictures(item));
    this.#slider.value = MIDDLE;
    this.#split();
  }

  #pictures(item) {
    const after = fullSize(item.optimizedImageUrl, `After: ${item.imageId}`, "after");
    const known = shownShape(item.optimizedImageUrl);
    // Of an unknown shape nothing is drawn before it is known: the slider would jump in one's hand.
    this.#viewer.classList.toggle("unknown", !known);
    this.#shape(known ?? USUAL_SHAPE);
    // One that comes late, when another is shown already, shapes nothing.
    after.addEventListener("load", () => after.isConnected && this.#shape(shapeOf(after)));
    for (const end of ["load", "lost"]) after.addEventListener(end, () => requestAnimationFrame(() => this.#viewer.classList.remove("unknown")));
    return [
      item.previewUrl && fullSize(item.previewUrl, `Before: ${item.imageId}`, "before"),
      after,
      el("span", { class: "corner left", "aria-hidden": "true" }, "Before"),
      el("span", { class: "corner right", "aria-hidden": "true" }, "After"),
      el("span", { class: "split", "aria-hidden": "true" }),
      this.#slider,
    ];
  }

  #shape(ratio) {
    this.#viewer.style.setProperty("--ratio", ratio);
  }

  /** The slider says how much of the picture, from the left, is as it was before. */
  #split() {
    const share = this.#slider.value;
    this.#viewer.style.setProperty("--split", `${share}%`);
    this.#slider.setAttribute("aria-valuetext", `${share} % before, ${100 - share} % after`);
  }
}

/** The large picture keeps the shape of the small one, so nothing jumps when it comes. */
function shownShape(address) {
  const small = pictureAt(address, 640);
  const shown = [...document.images].find((image) => image.naturalWidth && image.src.endsWith(small));
  return shown ? shapeOf(shown) : null;
}

function shapeOf(image) {
  return image.naturalWidth / image.naturalHeight;
}

/** Somebody may have been busy, so it is asked for again; its shop may also have taken it away. */
function fullSize(address, alt, kind) {
  const src = pictureAt(address, WIDTH);
  const image = el("img", { class: kind, alt, src, decoding: "async" });
  let pauses = PAUSES;
  image.addEventListener("error", () => {
    const [pause, ...rest] = pauses;
    pauses = rest;
    if (!pause) lose(image, alt, kind);
    else setTimeout(() => image.isConnected && image.setAttribute("src", src), pause);
  });
  return image;
}

function lose(image, alt, kind) {
  image.dispatchEvent(new Event("lost"));
  image.replaceWith(el("p", { class: `lost ${kind}` }, "No picture", el("span", { class: "visually-hidden" }, `: ${alt}`)));
}
