/** Stacked bars as plain SVG. What they show is told in words too: by a line below, and by a table. */

import { drawn, el, fill, say } from "./dom.js";
import { number } from "./format.js";

const HEIGHT = 208;
const MARGIN = { top: 10, right: 4, bottom: 26 };
const CHARACTER = 7.5;
const WIDEST = 44;
const LABEL = 62;
const HALF_LABEL = 24;
const STEPS = [1, 2, 5];

/**
 * `series` are `[name, class]` from the bottom up. `show(bars, summary)` draws `{short, words, values}`
 * each; the line below tells the summary, or the bar that is pointed at or was gone to with the arrows.
 */
export class BarChart {
  #series;
  #bars = [];
  #summary = "";
  #at = -1;
  #mark = null;
  #plot = null;
  #box;
  #words = el("p", { class: "small soft numbers chart-words", "aria-live": "polite" });

  constructor(label, series) {
    this.#series = series;
    this.#box = el("div", {
      class: "chart",
      role: "group",
      "aria-label": `${label}. Arrow keys go through the bars; the numbers stand in the table below.`,
      tabindex: 0,
      onkeydown: (event) => this.#key(event),
      onblur: () => this.#point(-1),
      onpointermove: (event) => this.#point(this.#barAt(event.offsetX)),
      onpointerdown: (event) => this.#point(this.#barAt(event.offsetX)),
      onpointerleave: () => this.#point(-1),
    });
    const legend = series.length > 1 && el("ul", { class: "legend small" }, series.map(([name, kind]) => el("li", {}, el("span", { class: `swatch ${kind}`, "aria-hidden": "true" }), name)));
    this.element = el("div", { class: "stack tight" }, legend, this.#box, this.#words);
    new ResizeObserver(() => this.#draw()).observe(this.#box);
  }

  show(bars, summary) {
    this.#bars = bars;
    this.#summary = summary;
    this.#draw();
  }

  #draw() {
    const width = this.#box.clientWidth;
    if (!width || !this.#bars.length) return;
    const most = Math.max(1, ...this.#bars.map((bar) => sum(bar.values)));
    const ticks = ticksFor(most);
    const top = ticks.at(-1);
    const left = number(top).length * CHARACTER + 12;
    const plot = { left, width: width - left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom, top };
    plot.band = plot.width / this.#bars.length;
    this.#plot = plot;
    this.#mark = drawn("rect", { class: "mark", y: MARGIN.top, height: plot.height, width: Math.max(2, plot.band), visibility: "hidden" });
    const bars = this.#bars.flatMap((bar, place) => this.#bar(bar, place, plot));
    const svg = drawn("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" }, ticks.flatMap((tick) => line(tick, plot, width)), this.#mark, bars, this.#labels(plot));
    fill(this.#box, svg);
    this.#point(-1);
  }

  #bar(bar, place, plot) {
    const width = Math.max(1, Math.min(WIDEST, plot.band * 0.78));
    const x = plot.left + plot.band * (place + 0.5) - width / 2;
    let below = 0;
    return bar.values.map((value, kind) => {
      below += value;
      const y = heightOf(below, plot);
      return value > 0 && drawn("rect", { class: this.#series[kind][1], x, y, width, height: Math.max(1, (value / plot.top) * plot.height) });
    });
  }

  /** From the last bar backwards, so that the newest has its words. */
  #labels(plot) {
    const every = Math.ceil(LABEL / plot.band);
    const right = plot.left + plot.width + MARGIN.right;
    return this.#bars.map((bar, place) => {
      const x = Math.min(plot.left + plot.band * (place + 0.5), right - HALF_LABEL);
      return (this.#bars.length - 1 - place) % every === 0 && drawn("text", { x, y: HEIGHT - 6, "text-anchor": "middle" }, bar.short);
    });
  }

  #barAt(offset) {
    if (!this.#plot) return -1;
    const place = Math.floor((offset - this.#plot.left) / this.#plot.band);
    return place >= 0 && place < this.#bars.length ? place : -1;
  }

  #key(event) {
    const last = this.#bars.length - 1;
    const moves = { ArrowRight: Math.min(this.#at + 1, last), ArrowLeft: this.#at < 0 ? last : Math.max(this.#at - 1, 0), Home: 0, End: last, Escape: -1 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    this.#point(moves[event.key]);
  }

  #point(place) {
    this.#at = place;
    say(this.#words, this.#bars[place]?.words ?? this.#summary);
    if (!this.#mark) return;
    this.#mark.setAttribute("visibility", place < 0 ? "hidden" : "visible");
    if (place >= 0) this.#mark.setAttribute("x", this.#plot.left + this.#plot.band * place);
  }
}

function line(tick, plot, width) {
  const y = heightOf(tick, plot);
  return [
    drawn("line", { class: tick ? "grid-line" : "base-line", x1: plot.left, x2: width - MARGIN.right, y1: y, y2: y }),
    drawn("text", { x: plot.left - 8, y: y + 4, "text-anchor": "end" }, number(tick)),
  ];
}

function heightOf(value, plot) {
  return MARGIN.top + plot.height * (1 - value / plot.top);
}

/** Whole numbers from 0 to at least `most`, in two to five round steps. */
export function ticksFor(most) {
  for (let power = 1; ; power *= 10) {
    for (const factor of STEPS) {
      const step = factor * power;
      if (step * 5 < most) continue;
      const count = Math.ceil(most / step);
      return Array.from({ length: count + 1 }, (_, n) => n * step);
    }
  }
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
