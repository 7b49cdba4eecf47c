/** The shop's products: search, pictures, page after page. */

import { Problem, read } from "./api.js";
import { el, fill, freshId, KeyedList, say } from "./dom.js";
import { counted, money } from "./format.js";
import { icon } from "./icons.js";
import { button, linkButton, picture, state } from "./parts.js";
import { troubled } from "./troubles.js";

export const OWN_IMAGES = "own-images";
const TYPING_PAUSE = 300;
const BONES = 8;

export class ProductList {
  #query = "";
  #products = [];
  #cursor = null;
  #asking = null;
  #typing = 0;
  #heading = el("h1", { tabindex: -1 }, "Choose a product");
  #told = el("p", { class: "small soft found", role: "status" });
  #grid = el("ul", { class: "grid products" });
  #rest = el("div");
  #more = button("Show more", { hidden: true, onclick: () => this.#load() });
  #list;

  /** `several` keeps which products were chosen to be ordered together. */
  constructor(several) {
    this.#list = new KeyedList(this.#grid, (product) => product.id, (product) => productCard(product, several));
    const own = el("a", { href: `#product=${OWN_IMAGES}` }, "Upload images, or choose images by their addresses");
    this.element = el(
      "div",
      { class: "stack shelf" },
      el("div", { class: "row spread" }, this.#heading, el("p", { class: "small" }, own)),
      this.#searchForm(),
      this.#told,
      this.#grid,
      this.#rest,
      el("div", { class: "row center" }, this.#more),
    );
  }

  /** Show which products are chosen now. */
  update() {
    this.#list.show(this.#products);
  }

  /** Load the first page, unless it is there. */
  async show() {
    if (!this.#products.length) await this.#begin();
  }

  /** Coming back from a product, go on at its card; else at the top. */
  focus(hash) {
    const cards = [...this.#grid.querySelectorAll("a")];
    (cards.find((card) => card.hash === hash) ?? this.#heading).focus();
  }

  #searchForm() {
    const id = freshId("search");
    const field = el("input", {
      id,
      class: "input",
      type: "search",
      placeholder: "Search products",
      maxlength: 100,
      autocomplete: "off",
      oninput: () => this.#typed(field.value),
    });
    const search = (event) => {
      event.preventDefault();
      this.#typed(field.value, 0);
    };
    const label = el("label", { for: id, class: "visually-hidden" }, "Search products");
    return el("form", { class: "search", role: "search", onsubmit: search }, label, icon("search"), field);
  }

  #typed(text, pause = TYPING_PAUSE) {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#search(text.trim()), pause);
  }

  #search(query) {
    if (query === this.#query) return;
    this.#query = query;
    this.#begin();
  }

  #begin() {
    this.#products = [];
    this.#cursor = null;
    this.#more.hidden = true;
    fill(this.#rest, bones());
    this.#list.show([]);
    return this.#load();
  }

  async #load() {
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    const query = { query: this.#query, cursor: this.#cursor };
    try {
      this.#take(await read("api/products", query, asking.signal));
    } catch (error) {
      if (error.name !== "AbortError") this.#refuse(error);
    }
  }

  #take({ products, nextCursor }) {
    this.#products.push(...products);
    this.#cursor = nextCursor;
    this.#more.hidden = !nextCursor;
    this.#list.show(this.#products);
    fill(this.#rest, this.#products.length ? null : this.#empty());
    say(this.#told, this.#count());
  }

  #count() {
    const many = `${counted(this.#products.length, "product")}${this.#cursor ? " shown, there are more" : ""}`;
    return this.#query ? `${many} for “${this.#query}”` : many;
  }

  #empty() {
    if (this.#query) {
      return state({ sign: "search", title: "No product has this name", words: "Try a shorter word, or a part of it." });
    }
    return state({ sign: "shop", title: "Your shop has no products yet", words: "Add products to your shop, upload images, or choose images by their addresses.", actions: [byAddress()] });
  }

  #refuse(error) {
    say(this.#told, "");
    this.#more.hidden = true;
    const unconnected = error instanceof Problem && error.code === "catalogue_not_connected";
    fill(this.#rest, unconnected ? notConnected(error) : troubled(error, () => this.#begin()));
  }
}

/** The API's own sentence says what can be done about it. */
function notConnected({ message: words }) {
  return state({ sign: "shop", title: "No shop is connected yet", words, actions: [byAddress()] });
}

function byAddress() {
  return linkButton("Upload images, or choose images by their addresses", `#product=${OWN_IMAGES}`, { look: "primary", sign: "link" });
}

function productCard(product, several) {
  const facts = el("p", { class: "small soft" });
  const name = el("h2", { class: "name clamp" });
  const shown = picture({ address: product.previewUrl, alt: "", sizes: "(max-width: 48rem) 46vw, 16rem" });
  const href = `#product=${encodeURIComponent(product.id)}`;
  const box = el("input", { type: "checkbox", onchange: () => (box.checked = several.choose(product, box.checked) && box.checked) });
  const pick = el("label", { class: "pick", hidden: !product.totalImages }, box);
  const element = el("li", { class: "pickable" }, el("a", { class: "card product", href }, shown, el("div", { class: "words" }, name, facts)), pick);
  function update({ name: words, price, currency, totalImages }) {
    box.setAttribute("aria-label", `Choose ${words}`);
    box.checked = several.has(product);
    say(name, words);
    say(facts, [price && money(price, currency), counted(totalImages, "image")].filter(Boolean).join(" · "));
  }
  return { element, update };
}

function bones() {
  const one = () => el("div", { class: "card product", "aria-hidden": "true" }, el("div", { class: "picture bones" }), el("div", { class: "words" }, el("div", { class: "bones line" }), el("div", { class: "bones line short" })));
  return el("div", { class: "grid products", role: "status", "aria-label": "Loading products" }, Array.from({ length: BONES }, one));
}
