/** The page Usage: images and credits by day, how well and how fast it went, and where credits went. */

import { file, read } from "./api.js";
import { BarChart } from "./charts.js";
import { el, fill } from "./dom.js";
import { Entries } from "./entries.js";
import { calendarDay, counted, lasting, number, percent } from "./format.js";
import { announce, openFrame } from "./frame.js";
import { button, linkButton, state } from "./parts.js";
import { RangePicker } from "./range.js";
import { explained, troubled } from "./troubles.js";

/** Of more days than these, a bar is a week. */
const MOST_BARS = 92;
const WEEK = 7;

const page = document.getElementById("usage");
const body = el("div", { class: "stack" });
const entries = new Entries();
/** It comes with the first answer, or what stands above would move it. */
const ledger = el("section", { class: "card padded stack", hidden: true }, el("h2", {}, "Credit entries"), entries.element);
const images = new BarChart("Images by day", [["Ready", "bar-done"], ["Failed", "bar-failed"], ["Canceled", "bar-canceled"]]);
const credits = new BarChart("Credits by day", [["Credits", "bar-credits"]]);
const picker = new RangePicker(load);
/** The latest question: what answers an earlier one is not wanted any more. */
let asking = null;

openFrame(() => {
  const save = button("Download CSV", { sign: "download", onclick: download });
  fill(page, el("div", { class: "row spread" }, el("h1", {}, "Usage"), save), picker.element, body, ledger);
  fill(body, bones());
  load();
  entries.load();
});

async function load() {
  const question = picker.range;
  asking = question;
  try {
    const usage = await read("api/analytics", question);
    if (question === asking) show(usage);
  } catch (error) {
    if (question === asking) fill(body, troubled(error, load));
  }
  ledger.hidden = false;
}

async function download() {
  try {
    const { content, name } = await file("api/analytics.csv", picker.range);
    const address = URL.createObjectURL(content);
    el("a", { href: address, download: name }).click();
    URL.revokeObjectURL(address);
  } catch (error) {
    const { title, words } = explained(error);
    announce(title, { words, bad: true });
  }
}

function show(usage) {
  if (!usage.totals.images) {
    const actions = [linkButton("Optimize images", "./", { look: "primary", sign: "optimize" })];
    fill(body, el("div", { class: "card" }, state({ sign: "usage", title: "No image ended in these days", words: `${span(usage)}: an image counts on the day on which it became ready, failed or was canceled.`, actions })));
    return;
  }
  fill(body, tiles(usage), chartCard("Images by day", images), chartCard("Credits by day", credits), table(usage), el("div", { class: "two" }, failures(usage), favourites(usage)));
  const bars = barsOf(usage.days);
  images.show(bars.map((bar) => ({ ...bar, values: [bar.done, bar.failed, bar.canceled], words: `${bar.when}: ${outcomes(bar)}` })), `${span(usage)}: ${outcomes(usage.totals)}`);
  credits.show(bars.map((bar) => ({ ...bar, values: [bar.creditsSpent], words: `${bar.when}: ${counted(bar.creditsSpent, "credit")}` })), `${span(usage)}: ${counted(usage.totals.creditsSpent, "credit")}`);
}

function span({ from, to }) {
  return from === to ? calendarDay(from, { year: true }) : `${calendarDay(from, { year: true })} to ${calendarDay(to, { year: true })}`;
}

function outcomes({ done, failed, canceled, reused }) {
  const again = reused ? ` (${number(reused)} reused)` : "";
  return `${number(done)} ready${again}, ${number(failed)} failed, ${number(canceled)} canceled`;
}

/** A bar for each day, or for each week. */
function barsOf(days) {
  const size = days.length > MOST_BARS ? WEEK : 1;
  const bars = [];
  for (let first = 0; first < days.length; first += size) bars.push(together(days.slice(first, first + size)));
  return bars;
}

function together(days) {
  const [{ date }] = days;
  const bar = { short: calendarDay(date), when: days.length > 1 ? `${calendarDay(date)} to ${calendarDay(days.at(-1).date)}` : calendarDay(date, { year: true }) };
  for (const name of ["done", "failed", "canceled", "reused", "creditsSpent"]) bar[name] = days.reduce((sum, day) => sum + day[name], 0);
  return bar;
}

function tiles({ totals, duration }) {
  const reused = totals.reused ? `, ${number(totals.reused)} of them reused` : "";
  const facts = [
    ["Images ready", number(totals.done), `of ${number(totals.images)}${reused}`],
    ["Success rate", totals.successRate === null ? "–" : percent(totals.successRate), "of those that were tried"],
    ["Typical time", seconds(duration.medianSeconds), "half of the images took less"],
    ["Slow images", seconds(duration.p95Seconds), "95 of 100 took less"],
    ["Credits", number(totals.creditsSpent), "spent, what came back taken off"],
  ];
  return el("dl", { class: "tiles" }, facts.map(([name, value, words]) => el("div", { class: "card figure" }, el("dt", { class: "small soft" }, name), el("dd", { class: "big numbers" }, value), el("dd", { class: "small soft" }, words))));
}

function seconds(value) {
  if (value === null) return "–";
  return value < 10 ? `${number(Math.round(value * 10) / 10)} s` : lasting(Math.round(value));
}

function chartCard(title, chart) {
  return el("section", { class: "card padded stack" }, el("h2", {}, title), chart.element);
}

function table({ days }) {
  const names = ["Day (UTC)", "Ready", "Failed", "Canceled", "Reused", "Credits"].map((name) => el("th", { scope: "col", class: name !== "Day (UTC)" && "right" }, name));
  const rows = [...days].reverse().map((day) =>
    el("tr", {}, el("th", { scope: "row" }, calendarDay(day.date, { year: true })), [day.done, day.failed, day.canceled, day.reused, day.creditsSpent].map((value) => el("td", { class: value ? "right" : "right soft" }, number(value)))),
  );
  return el(
    "details",
    { class: "card" },
    el("summary", {}, "The same as a table"),
    el("div", { class: "scrolled", role: "region", "aria-label": "Usage by day", tabindex: 0 }, el("table", { class: "table" }, el("caption", { class: "visually-hidden" }, "Images and credits by day, newest first"), el("thead", {}, el("tr", {}, names)), el("tbody", {}, rows))),
  );
}

function failures({ errors }) {
  const rows = errors.map(({ errorCode, images: count, sentence }) => el("tr", {}, el("td", {}, el("p", {}, sentence), el("code", { class: "soft" }, errorCode)), el("td", { class: "right" }, number(count))));
  const head = el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Reason"), el("th", { scope: "col", class: "right" }, "Images")));
  const shown = errors.length ? el("table", { class: "table" }, el("caption", { class: "visually-hidden" }, "Reasons, the most frequent one at first"), head, el("tbody", {}, rows)) : el("p", { class: "soft" }, "No image failed.");
  return el("section", { class: "card padded stack" }, el("h2", {}, "Why images failed"), shown);
}

function favourites({ favouritePrompts, from, to }) {
  const most = favouritePrompts[0]?.images ?? 1;
  const rows = favouritePrompts.map(({ prompt, images: count }) =>
    el("li", { class: "favourite" }, el("span", { class: "clamp anywhere", title: prompt }, prompt), el("span", { class: "numbers" }, number(count), el("span", { class: "visually-hidden" }, count === 1 ? " image" : " images")), el("progress", { class: "share", max: most, value: count, "aria-hidden": "true" })),
  );
  return el("section", { class: "card padded stack" }, el("div", {}, el("h2", {}, "Favourite prompts"), el("p", { class: "small soft" }, `Images by prompt, in the whole of ${monthsOf(from, to)}.`)), el("ol", { class: "stack" }, rows));
}

function monthsOf(from, to) {
  const name = (day) => new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`));
  return name(from) === name(to) ? name(from) : `${name(from)} to ${name(to)}`;
}

function bones() {
  const card = (kind) => el("div", { class: `card bones ${kind}`, "aria-hidden": "true" });
  return el("div", { class: "stack", role: "status", "aria-label": "Loading usage" }, el("div", { class: "tiles" }, [1, 2, 3, 4, 5].map(() => card("figure"))), card("chart-bones"), card("chart-bones"));
}
