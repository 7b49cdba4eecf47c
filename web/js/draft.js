/** An order that is being put together: the tab remembers it until it has been sent. */

import { freshKey } from "./api.js";
import { number } from "./format.js";
import { ASPECT_RATIOS, LONGEST_PROMPT, MOST_IMAGES, OUTPUT_FORMATS } from "./limits.js";

const NAME = "darkroom.drafts";

/** The draft for one product; `images` are the chosen ones, in the order in which they were chosen. */
export class Draft {
  constructor(product, kept = {}) {
    this.productId = product.id;
    this.productName = product.name;
    this.images = [];
    this.added = [];
    this.oneForAll = true;
    this.prompt = "";
    this.aspectRatio = ASPECT_RATIOS[0][0];
    this.outputFormat = OUTPUT_FORMATS[0][0];
    this.quality = "";
    this.model = "";
    this.resolution = "";
    this.references = [];
    this.sent = null;
    Object.assign(this, kept);
    // Images are called what their shop calls them: a name that every object has is one as well.
    Object.assign((this.prompts = Object.create(null)), kept.prompts);
  }

  has(image) {
    return this.images.some((chosen) => chosen.id === image.id);
  }

  get isFull() {
    return this.images.length >= MOST_IMAGES;
  }

  /** Choose an image; false where there are ten already. */
  choose(image) {
    if (this.has(image)) return true;
    if (this.isFull) return false;
    this.images.push(image);
    return true;
  }

  /** Know the product's images as they are now: what its shop has removed is not ordered. */
  meet(images) {
    const there = [...images, ...this.added];
    this.images = this.images.map(({ id }) => there.find((image) => image.id === id)).filter(Boolean);
  }

  leaveOut(image) {
    this.images = this.images.filter((chosen) => chosen.id !== image.id);
  }

  promptOf(image) {
    return (this.oneForAll ? this.prompt : this.prompts[image.id]) ?? "";
  }

  /** What is wrong with the prompts: a map of messages by the image's id, or by "all". */
  faults() {
    if (this.oneForAll) return faultsOf([["all", this.prompt]]);
    return faultsOf(this.images.map((image) => [image.id, this.promptOf(image)]));
  }

  /** What was chosen, as the API takes it; what is left out is the model's or the shop's default. */
  options() {
    const { aspectRatio, outputFormat, quality, model, resolution } = this;
    const chosen = { quality: outputFormat === "jpg" && quality, model, resolution };
    return { aspectRatio, outputFormat, ...Object.fromEntries(Object.entries(chosen).filter(([, value]) => value)) };
  }

  /** Choose what a preset holds; one without options leaves all as it is. */
  takeOptions(options) {
    if (Object.keys(options).length === 0) return;
    const { aspectRatio = ASPECT_RATIOS[0][0], outputFormat = OUTPUT_FORMATS[0][0], quality = "", model = "", resolution = "" } = options;
    Object.assign(this, { aspectRatio, outputFormat, quality, model, resolution });
  }

  /** The body of the request. */
  body() {
    const { productId, productName } = this;
    const references = this.references.map(({ url }) => url);
    const images = this.images.map((image) => ({
      imageId: image.id,
      imageUrl: image.url,
      prompt: this.promptOf(image).trim(),
      ...this.options(),
      ...(references.length && { referenceImageUrls: references }),
    }));
    return { productId, productName, images };
  }

  /** The same order keeps its key, so that sending it again after a lost answer costs nothing. */
  keyFor(body) {
    const text = JSON.stringify(body);
    if (this.sent?.text !== text) this.sent = { text, key: freshKey() };
    return this.sent.key;
  }
}

/** Every product's draft; `save()` after a change. */
export class Drafts {
  #drafts = new Map();
  #kept = JSON.parse(sessionStorage.getItem(NAME) ?? "{}");

  of(product) {
    if (!this.#drafts.has(product.id)) {
      this.#drafts.set(product.id, new Draft(product, this.#kept[product.id]));
    }
    return this.#drafts.get(product.id);
  }

  save() {
    const all = { ...this.#kept, ...Object.fromEntries(this.#drafts) };
    sessionStorage.setItem(NAME, JSON.stringify(all));
  }

  /** Begin anew after the order was accepted. */
  forget(draft) {
    this.#drafts.delete(draft.productId);
    delete this.#kept[draft.productId];
    this.save();
  }
}

function faultsOf(prompts) {
  return new Map(prompts.map(([id, text]) => [id, faultOf(text)]).filter(([, fault]) => fault));
}

function faultOf(text) {
  return text.trim() ? tooLong(text) : "Say what should be done with the image.";
}

/** What is wrong with a prompt's length, or null. The API counts characters, not UTF-16's units. */
export function tooLong(text) {
  const length = [...text.trim()].length;
  return length > LONGEST_PROMPT ? `Use at most ${number(LONGEST_PROMPT)} characters: these are ${number(length)}.` : null;
}
