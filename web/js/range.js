/** From which day to which: some lengths to choose from, or two days of one's own. Days are UTC's. */

import { el, freshId } from "./dom.js";
import { button } from "./parts.js";

const DAY = 86_400_000;
const MOST_DAYS = 366;
const LENGTHS = [
  [7, "7 days"],
  [30, "30 days"],
  [90, "90 days"],
  [365, "1 year"],
];
const USUAL = 30;

/** `onchange({from, to})` is called with every choice; `range` is the current one. */
export class RangePicker {
  #lengths;
  #from = dayField("From");
  #to = dayField("To");
  #told = el("p", { class: "small range-fault", role: "alert" });
  #changed;

  constructor(changed) {
    this.#changed = changed;
    const name = freshId("range");
    this.#lengths = LENGTHS.map(([days, words]) => {
      const input = el("input", { type: "radio", name, checked: days === USUAL, onchange: () => this.#last(days) });
      return { days, input, label: el("label", {}, input, el("span", {}, words)) };
    });
    const own = el("form", { class: "row own-days", novalidate: true, onsubmit: (event) => this.#own(event) }, this.#from.element, this.#to.element, button("Show", { type: "submit" }), this.#told);
    const lengths = el("fieldset", {}, el("legend", { class: "visually-hidden" }, "The last"), el("div", { class: "choice" }, this.#lengths.map(({ label }) => label)));
    this.element = el("div", { class: "row range" }, lengths, own);
    this.#fill(USUAL);
  }

  get range() {
    return { from: this.#from.input.value, to: this.#to.input.value };
  }

  #fill(days) {
    const today = Date.now();
    this.#to.input.value = dayOf(today);
    this.#from.input.value = dayOf(today - (days - 1) * DAY);
  }

  #last(days) {
    this.#fill(days);
    this.#tell("");
    this.#changed(this.range);
  }

  #own(event) {
    event.preventDefault();
    const fault = faultOf(this.range);
    this.#tell(fault);
    if (fault) {
      this.#from.input.focus();
      return;
    }
    for (const { input } of this.#lengths) input.checked = false;
    this.#changed(this.range);
  }

  #tell(fault) {
    this.#told.textContent = fault;
    for (const { input } of [this.#from, this.#to]) input.setAttribute("aria-invalid", String(fault !== ""));
  }
}

function dayField(words) {
  const id = freshId("day");
  const input = el("input", { id, class: "input day", type: "date", min: "2000-01-01", required: true });
  return { input, element: el("div", { class: "row nowrap tight day-field" }, el("label", { class: "small", for: id }, words), input) };
}

function faultOf({ from, to }) {
  if (!from || !to) return "Choose both days.";
  if (from > to) return "The first day is after the last one.";
  if (from < "2000") return "Choose a day after the year 1999.";
  return (Date.parse(to) - Date.parse(from)) / DAY >= MOST_DAYS ? `Choose at most ${MOST_DAYS} days.` : "";
}

function dayOf(time) {
  return new Date(time).toISOString().slice(0, 10);
}
