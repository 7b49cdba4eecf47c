/** The page Optimize: a product, its images, the order. The address's fragment says which product. */

import { read } from "./api.js";
import { Drafts } from "./draft.js";
import { el, fill } from "./dom.js";
import { announce, openFrame, tryCredits } from "./frame.js";
import { counted } from "./format.js";
import { icon } from "./icons.js";
import { allProducts, ImageGrid, named } from "./images.js";
import { OrderForm, receipt } from "./order.js";
import { button } from "./parts.js";
import { OWN_IMAGES, ProductList } from "./products.js";
import { fragment } from "./session.js";
import { batchReceipt, Several } from "./several.js";
import { explained, troubled } from "./troubles.js";

const choose = document.getElementById("choose");
const aside = document.getElementById("order");
const several = new Several(showSeveral, (accepted) => {
  severalSent = accepted;
  tryCredits();
});
const products = new ProductList(several);
const drafts = new Drafts();
const goOn = button("", { look: "primary wide", onclick: goToOrder });
const footer = el("div", { class: "go-on", hidden: true }, goOn);
let chosen = 0;
let orderInSight = false;
let severalSent = null;

openFrame(() => {
  document.getElementById("main").append(footer);
  new IntersectionObserver(lookForOrder, { rootMargin: "0px 0px -50% 0px" }).observe(aside);
  addEventListener("hashchange", (event) => {
    show();
    if (products.element.isConnected) products.focus(new URL(event.oldURL).hash);
  });
  show();
});

/** A file that is dropped beside its place must not take the page's. */
for (const kind of ["dragover", "drop"]) {
  addEventListener(kind, (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
}

function show() {
  const id = fragment().get("product");
  showFooter(0);
  if (id) openProduct(id);
  else showProducts();
}

function showProducts() {
  document.title = "Optimize · Darkroom";
  fill(choose, products.element);
  showSeveral();
  products.show();
}

/** The order of several products stands beside them as soon as one is chosen. */
function showSeveral() {
  if (!products.element.isConnected) return;
  products.update();
  if (severalSent) return thankForSeveral();
  const shown = aside.contains(several.element);
  if (several.isEmpty) fill(aside, howItWorks());
  else if (!shown) {
    fill(aside, several.element);
    several.open();
  }
  showFooter(several.isEmpty ? 0 : several.images);
}

function thankForSeveral() {
  const accepted = severalSent;
  severalSent = null;
  fill(aside, batchReceipt(accepted, showSeveral));
  showFooter(0);
  goToOrder();
}

async function openProduct(id) {
  fill(choose, imageBones());
  fill(aside, el("div", { class: "card padded order bones tall", "aria-hidden": "true" }));
  try {
    const { product, images } = id === OWN_IMAGES ? ownImages() : await read(`api/products/${encodeURIComponent(id)}`);
    if (fragment().get("product") === id) showProduct(product, named(images, product));
  } catch (error) {
    if (fragment().get("product") !== id) return;
    fill(choose, allProducts(), troubled(error, show));
    fill(aside, null);
  }
}

function ownImages() {
  return { product: { id: OWN_IMAGES, name: "Own images" }, images: [] };
}

function showProduct(product, images) {
  document.title = `${product.name} · Optimize · Darkroom`;
  begin(product, images);
  choose.querySelector("h1").focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** Show the draft of this product, which is a new one after each order. */
function begin(product, images) {
  const draft = drafts.of(product);
  draft.meet(images);
  const changed = () => {
    drafts.save();
    // An upload may have ended after somebody went on to another product.
    if (!grid.element.isConnected) return;
    grid.update();
    form.update();
    if (!form.element.isConnected) fill(aside, form.element);
    showFooter(draft.images.length);
  };
  const grid = new ImageGrid(product, images, draft, changed);
  const form = new OrderForm(draft, changed, (accepted) => {
    drafts.forget(draft);
    if (fragment().get("product") === product.id) {
      begin(product, images);
      thank(accepted);
    } else {
      thankInPassing(accepted);
    }
  });
  fill(choose, grid.element);
  fill(aside, form.element);
  showFooter(draft.images.length);
  showCredits(form);
  showChoices(form);
}

/** Without a balance the order can still be sent: the API knows it. */
async function showCredits(form) {
  const credits = await tryCredits();
  if (credits) form.credits = credits;
}

/** Without them too: it gets the first model. */
async function showChoices(form) {
  try {
    form.models = (await read("api/models")).models;
    form.presets = (await read("api/prompt-presets")).presets;
  } catch (error) {
    explained(error);
  }
}

/** The receipt stands where the order was, until the next one is begun. */
function thank(accepted) {
  fill(aside, receipt(accepted, show));
  goToOrder();
}

/** Somebody went on to another product before the answer came: that page stays as it is. */
function thankInPassing({ job, creditsUsed }) {
  const link = { words: "Watch its progress", href: `ongoing#job=${job.id}` };
  announce(`Job ${job.id} is on its way`, { words: `${counted(creditsUsed, "credit")} charged.`, link });
  tryCredits();
}

/** On a phone the order stands below the images: where it is not in sight, there is a way to it. */
function showFooter(images) {
  chosen = images;
  footer.hidden = !chosen || orderInSight;
  fill(goOn, `Go on with ${counted(chosen, "image")}`, icon("right"));
}

function lookForOrder(entries) {
  orderInSight = entries.at(-1).isIntersecting;
  showFooter(chosen);
}

function goToOrder() {
  aside.scrollIntoView({ block: "nearest" });
  aside.querySelector("h2").focus({ preventScroll: true });
}

function howItWorks() {
  const steps = [
    ["Choose a product", "and up to 10 of its images."],
    ["Say what you want", "in your own words: one prompt for all, or one each."],
    ["Send it", "and watch. Each image costs credits once, whatever happens."],
    ["Compare", "before and after, and download what you like."],
  ];
  const list = steps.map(([words, rest]) => el("li", {}, el("strong", {}, words), ` ${rest}`));
  return el("section", { class: "card padded stack order" }, el("h2", {}, "How it works"), el("ol", { class: "steps" }, list));
}

function imageBones() {
  const one = () => el("div", { class: "card tile", "aria-hidden": "true" }, el("div", { class: "picture bones" }), el("div", { class: "tile-words" }, el("div", { class: "bones line" })));
  return el("div", { class: "stack shelf", role: "status", "aria-label": "Loading images" }, el("div", { class: "bones line short head" }), el("div", { class: "grid images" }, Array.from({ length: 4 }, one)));
}
