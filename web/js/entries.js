/** The newest credit entries, and more of them on demand. */

import { read } from "./api.js";
import { el, fill } from "./dom.js";
import { moment, number } from "./format.js";
import { button, stop } from "./parts.js";
import { explained } from "./troubles.js";

const PAGE = 10;
const KINDS = { GRANT: "Granted", RESET: "Monthly credits", CHARGE: "Charged", REFUND: "Given back" };
const JOB = /^charge:job:(\d+)$/;
const IMAGE = /^refund:item:(\d+)$/;

export class Entries {
  #rows = el("tbody");
  #rest = el("div", { class: "entries-rest" });
  #more = button("Show more", { look: "entries-more", hidden: true, onclick: () => this.load() });
  #cursor = null;

  constructor() {
    const names = ["When", "What", "Credits", "Balance"].map((name, place) => el("th", { scope: "col", class: place > 1 && "right" }, name));
    const table = el("table", { class: "table entries" }, el("caption", { class: "visually-hidden" }, "Credit entries, newest first"), el("thead", {}, el("tr", {}, names)), this.#rows);
    this.element = el("div", { class: "stack" }, table, this.#rest, this.#more);
  }

  async load() {
    try {
      const { entries, nextCursor } = await read("api/credits/entries", { limit: PAGE, cursor: this.#cursor });
      this.#rows.append(...entries.map(row));
      this.#cursor = nextCursor;
      this.#more.hidden = !nextCursor;
      fill(this.#rest, null);
    } catch (error) {
      const { title, words } = explained(error);
      fill(this.#rest, stop(title, words));
      this.#more.hidden = false;
    }
  }
}

function row(entry) {
  const change = `${entry.amount > 0 ? "+" : ""}${number(entry.amount)}`;
  return el(
    "tr",
    {},
    el("td", {}, el("time", { datetime: entry.createdAt }, moment(entry.createdAt))),
    el("td", { class: "anywhere" }, KINDS[entry.kind] ?? entry.kind, " ", ...[whatFor(entry.reference)].flat()),
    el("td", { class: "right" }, change),
    el("td", { class: "right" }, number(entry.balanceAfter)),
  );
}

function whatFor(reference) {
  const job = JOB.exec(reference)?.[1];
  if (job) return ["for ", el("a", { href: `completed#job=${job}` }, `job ${job}`)];
  const image = IMAGE.exec(reference)?.[1];
  return image ? `for image ${image}` : el("span", { class: "soft small" }, reference);
}
