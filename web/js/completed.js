/** The page Completed: before and after. Nothing here changes any more, so nothing is refreshed. */

import { read } from "./api.js";
import { Comparison } from "./compare.js";
import { el, fill, freshId } from "./dom.js";
import { openFrame } from "./frame.js";
import { counted, moment, number, took } from "./format.js";
import { JobList, JOBS, openJob } from "./jobs.js";
import { badge, button, linkButton, picture, state } from "./parts.js";
import { troubled } from "./troubles.js";

const PAGE = 20;
const FILTERS = [
  ["DONE,FAILED,CANCELED", "All"],
  ["DONE", "Done"],
  ["FAILED", "Failed"],
  ["CANCELED", "Canceled"],
];

const page = document.getElementById("jobs");
const list = new JobList("Completed jobs");
const rest = el("div");
const detail = el("section", { class: "detail", "aria-label": "The open job" });
const more = button("Show more", { hidden: true, onclick: load });
const columns = el("div", { class: "jobs-columns" }, el("div", { class: "stack" }, list.element, rest, more), detail);
const comparison = new Comparison();

let filter = FILTERS[0][0];
let jobs = [];
let cursor = null;
let openId = null;

openFrame(() => {
  fill(page, el("div", { class: "row spread" }, el("h1", {}, "Completed"), tools()), columns);
  addEventListener("hashchange", () => open(openJob() ?? jobs[0]?.id ?? null));
  begin();
});

function tools() {
  const name = freshId("filter");
  const choices = FILTERS.map(([statuses, words]) =>
    el("label", {}, el("input", { type: "radio", name, checked: statuses === filter, onchange: () => choose(statuses) }), el("span", {}, words)),
  );
  const shown = el("fieldset", {}, el("legend", { class: "visually-hidden" }, "Which jobs"), el("div", { class: "choice" }, choices));
  return el("div", { class: "row" }, shown, button("Refresh", { sign: "refresh", onclick: begin }));
}

function choose(statuses) {
  filter = statuses;
  if (openJob()) history.replaceState(null, "", location.pathname);
  begin();
}

async function begin() {
  jobs = [];
  cursor = null;
  openId = null;
  fill(detail, detailBones());
  fill(rest, listBones());
  list.show([], null);
  await load();
}

async function load() {
  const asked = filter;
  try {
    const answer = await read(JOBS, { status: asked, limit: PAGE, cursor });
    if (asked === filter) take(answer);
  } catch (error) {
    fill(rest, null);
    fill(detail, troubled(error, begin));
  }
}

function take({ jobs: found, nextCursor }) {
  jobs.push(...found);
  cursor = nextCursor;
  more.hidden = !cursor;
  fill(rest, null);
  open(openId ?? openJob() ?? jobs[0]?.id ?? null);
}

async function open(id) {
  list.show(jobs, id);
  if (id === openId && id) return;
  openId = id;
  fill(detail, id ? detailBones() : nothing());
  if (!id) return;
  try {
    const facts = await read(`${JOBS}/${id}`);
    if (id === openId) fill(detail, jobView(facts));
  } catch (error) {
    if (id === openId) fill(detail, troubled(error, () => { openId = null; open(id); }));
  }
}

function nothing() {
  if (filter !== FILTERS[0][0]) return state({ sign: "completed", title: "No job has ended like this", words: "Choose All to see every job that has ended." });
  const actions = [linkButton("Optimize images", "./", { look: "primary", sign: "optimize" }), linkButton("See what is under way", "ongoing", { sign: "ongoing" })];
  return state({ sign: "completed", title: "Nothing is completed yet", words: "Finished jobs stand here with their pictures, before and after.", actions });
}

function jobView({ job, items }) {
  const done = items.filter((item) => item.status === "DONE");
  const failed = items.filter((item) => item.status === "FAILED");
  const canceled = items.filter((item) => item.status === "CANCELED");
  const status = badge();
  status.update(job.status);
  return el(
    "div",
    { class: "stack" },
    el("div", { class: "card padded stack" }, el("div", { class: "row spread nowrap" }, el("h2", {}, job.productName), status.element), el("p", { class: "small soft numbers" }, factsOf(job, items))),
    job.finishedAt === undefined && el("p", {}, "This job is still under way: ", el("a", { href: `ongoing#job=${job.id}` }, "watch its progress"), "."),
    done.length > 0 && el("ul", { class: "items pairs" }, done.map((item, place) => pairCard(item, () => comparison.open(done, place)))),
    rowsOf("Failed images", failed),
    rowsOf("Canceled images", canceled),
  );
}

function factsOf(job, items) {
  const charged = items.reduce((sum, item) => sum + item.creditsCharged, 0);
  const finished = job.finishedAt && `finished ${moment(job.finishedAt)} after ${took(job.createdAt, job.finishedAt)}`;
  return [`Job ${job.id}`, finished, `${job.completedImages} of ${counted(job.totalImages, "image")} ready`, `${number(charged)} credits`].filter(Boolean).join(" · ");
}

/** One image before and after; the pictures open the comparison. */
function pairCard(item, compare) {
  const half = (words, address) => el("span", { class: "half" }, picture({ address, alt: `${words}: ${item.imageId}`, sizes: "(max-width: 48rem) 46vw, 15rem", whole: true }), el("span", { class: "corner", "aria-hidden": "true" }, words));
  return el(
    "li",
    { class: "card item" },
    el("button", { type: "button", class: "pair", "aria-label": `Compare ${item.imageId} before and after`, onclick: compare }, half("Before", item.previewUrl), half("After", item.optimizedImageUrl)),
    el(
      "div",
      { class: "item-words" },
      el("h3", { class: "clip" }, item.imageId),
      el("p", { class: "small clamp anywhere", title: item.prompt }, item.prompt),
      el("div", { class: "row" }, button("Compare", { sign: "compare", onclick: compare, "aria-label": `Compare ${item.imageId}` }), linkButton("Download", item.optimizedImageUrl, { look: "plain", sign: "download", download: "", "aria-label": `Download ${item.imageId}` })),
    ),
  );
}

function rowsOf(title, items) {
  if (!items.length) return null;
  return el("section", { class: "stack" }, el("h3", {}, `${title} (${items.length})`), el("ul", { class: "stack" }, items.map(rowCard)));
}

function rowCard(item) {
  const status = badge();
  status.update(item.status);
  const again = item.status === "FAILED" && (item.retryable ? "Ordering it again may help." : "Ordering the same again would not help.");
  const credits = item.creditsCharged ? `${counted(item.creditsCharged, "credit")} charged.` : "Its credits were given back.";
  return el(
    "li",
    { class: "card failed-item" },
    picture({ address: item.previewUrl, alt: item.imageId, sizes: "7rem" }),
    el(
      "div",
      { class: "stack tight" },
      el("div", { class: "row" }, el("h4", { class: "anywhere" }, item.imageId), status.element),
      item.error && el("p", { class: "why" }, item.error),
      el("p", { class: "small soft" }, [again, credits].filter(Boolean).join(" "), item.errorCode && el("code", {}, ` ${item.errorCode}`)),
      el("p", { class: "small anywhere clamp" }, item.prompt),
    ),
  );
}

function listBones() {
  return el("div", { class: "stack", role: "status", "aria-label": "Loading jobs" }, [1, 2].map(() => el("div", { class: "card job bones", "aria-hidden": "true" })));
}

function detailBones() {
  const card = () => el("div", { class: "card item", "aria-hidden": "true" }, el("div", { class: "pair" }, el("div", { class: "picture whole bones" }), el("div", { class: "picture whole bones" })), el("div", { class: "item-words" }, el("div", { class: "bones line" }), el("div", { class: "bones line short" })));
  return el("div", { class: "stack" }, el("div", { class: "card padded bones summary", "aria-hidden": "true" }), el("div", { class: "items pairs" }, [1, 2].map(card)));
}
