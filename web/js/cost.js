/** What an order costs, and whether there are credits for it. */

import { el, fill } from "./dom.js";
import { counted, date, number } from "./format.js";
import { stop } from "./parts.js";

/** `price` is that of one image in credits, null while it is not known. */
export class Cost {
  #lines = el("dl", { class: "cost numbers" });
  #told = el("div");
  #credits = null;
  #images = 0;
  #price = null;

  constructor() {
    this.elements = [this.#lines, this.#told];
  }

  /** Take what `GET /api/credits` tells. */
  set credits(credits) {
    this.#credits = credits;
    this.show(this.#images, this.#price);
  }

  /** The credits that are missing; 0 or less where there are enough, or where nobody knows. */
  get missing() {
    if (!this.#credits) return 0;
    return this.#images * this.#each - this.#credits.balance;
  }

  show(images, price) {
    this.#images = images;
    this.#price = price;
    if (!this.#credits) return;
    const { balance } = this.#credits;
    const cost = images * this.#each;
    fill(
      this.#lines,
      line(`${counted(images, "image")} × ${counted(this.#each, "credit")}`, number(cost)),
      line("Your balance", number(balance)),
      line(balance >= cost ? "Left after this" : "Missing", number(Math.abs(balance - cost)), "total"),
    );
    this.#tellOfCredits();
  }

  /** Say something about the order, or nothing. */
  tell(told) {
    fill(this.#told, told);
  }

  /** What was said before a change; too few credits stay too few. */
  forget() {
    if (!this.#tellsOfCredits()) fill(this.#told, null);
  }

  get #each() {
    return this.#price ?? this.#credits.creditsPerImage;
  }

  /** Put there once, not after every key: it is an alert, which readers would hear each time. */
  #tellOfCredits() {
    if (this.missing <= 0) {
      if (this.#tellsOfCredits()) fill(this.#told, null);
      return;
    }
    const told = this.#tooFew();
    if (this.#told.textContent !== told.textContent) fill(this.#told, told);
  }

  #tellsOfCredits() {
    return this.#told.querySelector("[data-credits]") !== null;
  }

  #tooFew() {
    const { balance, monthlyAllotment, resetsAt, plan } = this.#credits;
    const affordable = Math.floor(balance / this.#each);
    const now = affordable ? `Choose up to ${counted(affordable, "image")}, or wait` : "Wait";
    const words = `${now} until ${date(resetsAt)}: your plan (${plan}) then fills your balance up to ${number(monthlyAllotment)} credits.`;
    const told = stop("Too few credits", words);
    told.dataset.credits = "";
    return told;
  }
}

function line(words, value, look = "") {
  return el("div", { class: look }, el("dt", {}, words), el("dd", {}, value));
}
