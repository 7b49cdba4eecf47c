/** The page Completed: before and after. Nothing here changes any more, so nothing is refreshed. */

import { downloadOf, freshKey, order, read } from "./api.js";
import { Comparison } from "./compare.js";
import { el, fill, freshId } from "./dom.js";
import { openFrame } from "./frame.js";
import { counted, moment, number, took } from "./format.js";
import { chainLinks, isMissing, JobList, JOBS, noSuchJob, openJob } from "./jobs.js";
import { askingButton, badge, button, linkButton, picture, state, stop } from "./parts.js";
import { explained, troubled } from "./troubles.js";

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
const body = el("div");
const comparison = new Comparison();

let filter = FILTERS[0][0];
let jobs = [];
let cursor = null;
let openId = null;
/** The latest question: what answers an earlier one is not wanted any more. */
let asking = null;

openFrame(() => {
  fill(page, el("div", { class: "row spread" }, el("h1", {}, "Completed"), tools()), body);
  addEventListener("hashchange", () => show(openJob() ?? jobs[0]?.id ?? null));
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
  fill(body, bones());
  await load();
}

async function load() {
  const question = { status: filter, limit: PAGE, cursor };
  asking = question;
  try {
    const answer = await read(JOBS, question);
    if (question === asking) take(answer);
  } catch (error) {
    if (question === asking) showTrouble(error);
  }
}

/** What is there already stays, and the button below it is there to ask again. */
function showTrouble(error) {
  const { title, words } = explained(error);
  fill(rest, stop(title, words));
  if (!jobs.length) fill(body, troubled(error, begin));
}

function take({ jobs: found, nextCursor }) {
  jobs.push(...found);
  cursor = nextCursor;
  more.hidden = !cursor;
  fill(rest, null);
  show(openId ?? openJob() ?? jobs[0]?.id ?? null);
}

function show(id) {
  list.show(jobs, id);
  // What is taken out and put back loses its focus and how far it was scrolled.
  if (!id) fill(body, nothing());
  else if (!columns.isConnected) fill(body, columns);
  if (id !== openId) open(id);
}

async function open(id) {
  openId = id;
  if (!id) return;
  fill(detail, detailBones());
  try {
    const facts = await read(`${JOBS}/${id}`);
    if (id === openId) fill(detail, jobView(facts));
  } catch (error) {
    if (id === openId) fill(detail, isMissing(error) ? noSuchJob(id) : troubled(error, () => open(id)));
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
    el("div", { class: "card padded stack" }, el("div", { class: "row spread nowrap" }, el("h2", { class: "clamp anywhere", title: job.productName }, job.productName), status.element), el("p", { class: "small soft numbers" }, factsOf(job, items)), chainLinks(job), failed.length > 0 && job.finishedAt && !job.retriedBy && retryButton(job, failed)),
    job.finishedAt === undefined && el("p", {}, "This job is still under way: ", el("a", { href: `ongoing#job=${job.id}` }, "watch its progress"), "."),
    done.length > 0 && el("ul", { class: "items pairs" }, done.map((item, place) => pairCard(item, () => comparison.open(done, place)))),
    rowsOf("Failed images", failed),
    rowsOf("Canceled images", canceled),
  );
}

/** With one key for as long as the job is open: what is sent twice is ordered once. */
function retryButton(job, failed) {
  const key = freshKey();
  const hopeless = failed.filter((item) => !item.retryable).length;
  const warning = hopeless ? ` ${number(hopeless)} of them would most likely fail again.` : "";
  const question = `Order ${counted(failed.length, "failed image")} again? They cost credits like new ones.${warning}`;
  async function act() {
    const receipt = await order(`${JOBS}/${job.id}/retry`, undefined, key);
    location.assign(`ongoing#job=${receipt.job.id}`);
  }
  return askingButton("Retry failed images", { question, yes: "Yes, order them", sign: "refresh", explain: explained, act });
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
      el("div", { class: "row" }, button("Compare", { sign: "compare", onclick: compare, "aria-label": `Compare ${item.imageId}` }), linkButton("Download", downloadOf(item.optimizedImageUrl), { look: "plain", sign: "download", download: "", "aria-label": `Download ${item.imageId}` })),
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
      el("div", { class: "row" }, el("h4", { class: "clamp anywhere", title: item.imageId }, item.imageId), status.element),
      item.error && el("p", { class: "why" }, item.error),
      el("p", { class: "small soft" }, [again, credits].filter(Boolean).join(" "), item.errorCode && el("code", {}, ` ${item.errorCode}`)),
      el("p", { class: "small anywhere clamp" }, item.prompt),
    ),
  );
}

function bones() {
  return el("div", { class: "jobs-columns", role: "status", "aria-label": "Loading jobs" }, el("div", { class: "stack" }, [1, 2].map(() => el("div", { class: "card job bones", "aria-hidden": "true" }))), detailBones());
}

function detailBones() {
  const card = () => el("div", { class: "card item", "aria-hidden": "true" }, el("div", { class: "pair" }, el("div", { class: "picture whole bones" }), el("div", { class: "picture whole bones" })), el("div", { class: "item-words" }, el("div", { class: "bones line" }), el("div", { class: "bones line short" })));
  return el("div", { class: "stack" }, el("div", { class: "card padded bones summary", "aria-hidden": "true" }), el("div", { class: "items pairs" }, [1, 2].map(card)));
}
