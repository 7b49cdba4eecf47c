/** The images of one product, to choose from with a mouse, a finger or the keyboard. */

import { Problem, read } from "./api.js";
import { el, fill, freshId, KeyedList, say } from "./dom.js";
import { money } from "./format.js";
import { icon } from "./icons.js";
import { MOST_IMAGES } from "./limits.js";
import { button, picture, state, stop } from "./parts.js";
import { OWN_IMAGES } from "./products.js";
import { explained } from "./troubles.js";
import { UploadField } from "./uploads.js";

const FULL = `A job takes up to ${MOST_IMAGES} images. Leave another one out first, or send these and begin a new job.`;

/** `changed()` is called after every change of the draft. */
export class ImageGrid {
  #draft;
  #images;
  #changed;
  #told = el("div", { class: "refusal", role: "alert" });
  #count = el("p", { class: "small soft numbers", role: "status" });
  #empty = el("div");
  #grid = el("ul", { class: "grid images", onkeydown: (event) => this.#onKey(event) });
  #list = new KeyedList(this.#grid, (image) => image.id, (image) => this.#tile(image));

  constructor(product, images, draft, changed) {
    this.#draft = draft;
    this.#images = images;
    this.#changed = changed;
    const own = product.id === OWN_IMAGES;
    this.element = el(
      "div",
      { class: "stack" },
      allProducts(),
      el("div", { class: "row spread" }, heading(product, own), this.#tools()),
      own && this.#nameField(),
      this.#told,
      this.#count,
      this.#grid,
      this.#empty,
    );
    this.element.append(
      new UploadField((image) => this.#add(image), this.element).element,
      new AddressForm((image) => this.#add(image)).element,
    );
    this.update();
  }

  update() {
    const all = [...this.#images, ...this.#draft.added];
    this.#list.show(all);
    fill(this.#empty, all.length ? null : noImages());
    say(this.#count, `${this.#draft.images.length} of up to ${MOST_IMAGES} chosen`);
  }

  #tools() {
    return el(
      "div",
      { class: "row" },
      button("Choose all", { onclick: () => this.#chooseAll() }),
      button("Choose none", { look: "plain", onclick: () => this.#chooseNone() }),
    );
  }

  #nameField() {
    const id = freshId("name");
    const draft = this.#draft;
    const named = (event) => {
      draft.productName = event.target.value.trim() || "Own images";
      this.#changed();
    };
    const field = el("input", { id, class: "input", value: draft.productName, maxlength: 500, onchange: named });
    return el("div", { class: "field" }, el("label", { for: id }, "Name of the job"), field);
  }

  #tile(image) {
    const box = el("input", { type: "checkbox", onchange: () => this.#toggled(image, box) });
    const place = el("span", { class: "place", "aria-hidden": "true" });
    const name = el("span", { class: "clip small" }, image.alt);
    const shown = picture({ address: image.previewUrl, alt: "", sizes: "(max-width: 48rem) 46vw, 13rem" });
    const element = el("li", {}, el("label", { class: "card tile" }, shown, el("span", { class: "tile-words" }, box, name, place)));
    const update = () => {
      box.checked = this.#draft.has(image);
      const number = this.#draft.images.findIndex((chosen) => chosen.id === image.id) + 1;
      say(place, number ? String(number) : "");
    };
    return { element, update };
  }

  #toggled(image, box) {
    fill(this.#told, null);
    if (box.checked) this.#choose(image);
    else this.#draft.leaveOut(image);
    this.#done();
  }

  #choose(image) {
    if (!this.#draft.choose(image)) fill(this.#told, stop(`${MOST_IMAGES} images are chosen already`, FULL, { role: null }));
  }

  #chooseAll() {
    const all = [...this.#images, ...this.#draft.added];
    const refused = all.filter((image) => !this.#draft.choose(image));
    const words = `${refused.length} of ${all.length} are left out. ${FULL}`;
    fill(this.#told, refused.length ? stop(`${MOST_IMAGES} images are chosen`, words, { role: null }) : null);
    this.#done();
  }

  #chooseNone() {
    fill(this.#told, null);
    this.#draft.images = [];
    this.#done();
  }

  #add(image) {
    const known = [...this.#images, ...this.#draft.added].find((other) => other.url === image.url);
    if (!known) this.#draft.added.push(image);
    fill(this.#told, null);
    this.#choose(known ?? image);
    this.#done();
  }

  #done() {
    this.update();
    this.#changed();
  }

  /** Arrows go through the grid, Home and End to its ends, Ctrl+A chooses all. */
  #onKey(event) {
    if (event.key === "a" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.#chooseAll();
      return;
    }
    const boxes = [...this.#grid.querySelectorAll("input")];
    const next = neighbour(event.key, boxes.indexOf(document.activeElement), boxes.length, this.#columns());
    if (next === null) return;
    event.preventDefault();
    boxes[next]?.focus();
  }

  #columns() {
    return getComputedStyle(this.#grid).gridTemplateColumns.split(" ").length;
  }
}

/** The way back. */
export function allProducts() {
  return el("a", { class: "back", href: "#" }, icon("left"), "All products");
}

/** Images under short names: what their descriptions say beyond the product's name, or their number. */
export function named(images, product) {
  return images.map((image, place) => {
    const rest = image.alt.replace(product.name, "").replace(/^[\s,:;.–-]+/, "");
    const [first = "", ...others] = rest;
    return { ...image, alt: first.toUpperCase() + others.join("") || `Image ${place + 1}` };
  });
}

function neighbour(key, at, many, columns) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  if (key === "Home") return 0;
  if (key === "End") return many - 1;
  if (at < 0 || !(key in steps)) return null;
  const next = at + steps[key];
  return next >= 0 && next < many ? next : at;
}

function heading(product, own) {
  const price = product.price && el("p", { class: "soft" }, money(product.price, product.currency));
  return el("div", {}, el("h1", { tabindex: -1 }, own ? "Your own images" : product.name), price);
}

function noImages() {
  return state({ sign: "picture", title: "No images yet", words: "Upload images below, or add them by the addresses at which they are on the internet." });
}

/** A field that takes an image's address; the API checks it as it would check an order. */
class AddressForm {
  #add;
  #id = freshId("address");
  #told = el("p", { class: "fault", id: `${this.#id}-fault`, hidden: true });
  #field = el("input", {
    id: this.#id,
    class: "input",
    type: "url",
    inputmode: "url",
    placeholder: "https://…",
    autocomplete: "off",
    maxlength: 2048,
    "aria-describedby": `${this.#id}-fault`,
  });

  constructor(add) {
    this.#add = add;
    const submit = (event) => {
      event.preventDefault();
      this.#check(this.#field.value.trim());
    };
    this.element = el(
      "form",
      { class: "field address", novalidate: true, onsubmit: submit },
      el("label", { for: this.#id }, "Add an image by its address"),
      el("div", { class: "row nowrap" }, this.#field, button("Add", { type: "submit" })),
      this.#told,
    );
  }

  async #check(url) {
    if (!url) {
      this.#tell("Paste the address of an image, like https://shop.example/cup.jpg.");
      return;
    }
    try {
      const { imageUrl, previewUrl } = await read("api/previews", { url });
      this.#tell(null);
      this.#field.value = "";
      this.#add({ id: imageIdOf(imageUrl), url: imageUrl, alt: nameOf(imageUrl), previewUrl });
    } catch (error) {
      this.#tell(error instanceof Problem && error.errors.url ? error.errors.url.join(" ") : explained(error).words);
    }
    this.#field.focus();
  }

  #tell(words) {
    this.#told.hidden = !words;
    fill(this.#told, words && icon("failed"), words);
    this.#field.setAttribute("aria-invalid", String(Boolean(words)));
    this.element.scrollIntoView({ block: "nearest" });
  }
}

/** The same address is the same image, and fits into the 255 characters that an id may have. */
function imageIdOf(url) {
  let hash = 5381n;
  for (const sign of url) hash = (hash * 33n + BigInt(sign.codePointAt(0))) & 0xffffffffffffffffn;
  const name = [...nameOf(url)].slice(0, 100).join("").replace(/[^\p{L}\p{N}._-]+/gu, "-");
  return `${name}-${hash.toString(16)}`;
}

function nameOf(url) {
  const { hostname, pathname } = new URL(url);
  const name = pathname.split("/").pop();
  return (isEncoded(name) ? decodeURIComponent(name) : name) || hostname;
}

/** A percent sign in an address need not stand for a character of UTF-8. */
function isEncoded(text) {
  try {
    return decodeURIComponent(text) !== "";
  } catch {
    return false;
  }
}
