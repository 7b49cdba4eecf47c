/** The page Ongoing: what is under way, refreshed for as long as somebody looks. */

import { read } from "./api.js";
import { el, fill, KeyedList, say } from "./dom.js";
import { announce, openFrame, tryCredits } from "./frame.js";
import { moment } from "./format.js";
import { inWords, JobList, JOBS, openJob, waitingWords } from "./jobs.js";
import { badge, button, linkButton, picture, progress, state, stop } from "./parts.js";
import { Refresher } from "./refresh.js";
import { explained, troubled } from "./troubles.js";

const LIST_SECONDS = 5;
const JOB_SECONDS = 3;
const PAGE = 20;
const MOST = 100;
const FINAL = new Set(["DONE", "FAILED", "CANCELED"]);

const page = document.getElementById("jobs");
const list = new JobList("Ongoing jobs");
const detail = el("section", { class: "detail", "aria-label": "The open job" });
const trouble = el("div");
const more = button("Show more", { hidden: true, onclick: showMore });
const rest = el("p", { class: "soft", hidden: true }, "Nothing else is under way. ", el("a", { href: "./" }, "Optimize more images"), ".");
const columns = el("div", { class: "jobs-columns" }, el("div", { class: "stack" }, list.element, rest, more), detail);
const refreshList = new Refresher(LIST_SECONDS, lookAtList);
const refreshJob = new Refresher(JOB_SECONDS, lookAtJob);

let ongoing = null;
let limit = PAGE;
let openId = null;
let view = null;
const told = new Set();

openFrame(() => {
  fill(page, el("h1", {}, "Ongoing"), trouble, bones());
  addEventListener("hashchange", chooseJob);
  addEventListener("online", () => refreshList.now());
  refreshList.start();
});

async function lookAtList() {
  try {
    const { jobs, nextCursor } = await read(JOBS, { status: "PENDING,RUNNING", limit });
    fill(trouble, null);
    const gone = (ongoing ?? []).filter((before) => !jobs.some((job) => job.id === before.id));
    ongoing = jobs;
    more.hidden = !nextCursor || limit >= MOST;
    chooseJob();
    await Promise.all(gone.map((job) => tellEnd(job.id)));
  } catch (error) {
    showTrouble(error);
    throw error;
  }
}

/** What was seen before stays: it is still true of a moment ago. */
function showTrouble(error) {
  if (!ongoing) {
    fill(page, el("h1", {}, "Ongoing"), troubled(error, () => refreshList.now()));
    return;
  }
  const { title, words } = explained(error);
  fill(trouble, stop(title, words, { role: null }));
}

/** Open the job that the address names, or stay with the open one, or take the newest. */
function chooseJob() {
  if (!ongoing) return;
  const wanted = openJob() ?? openId ?? ongoing[0]?.id ?? null;
  if (wanted !== openId) open(wanted);
  list.show(ongoing, openId);
  rest.hidden = ongoing.length > 0;
  fill(page, el("h1", {}, "Ongoing"), trouble, openId ? columns : nothing());
  document.title = `${ongoing.length ? `(${ongoing.length}) ` : ""}Ongoing · Darkroom`;
}

function open(id) {
  openId = id;
  view = null;
  refreshJob.stop();
  fill(detail, detailBones());
  if (id) refreshJob.start();
}

async function lookAtJob() {
  const id = openId;
  try {
    const facts = await read(`${JOBS}/${id}`);
    if (id !== openId) return;
    view ??= openView();
    view.update(facts);
    if (FINAL.has(facts.job.status)) finish(facts.job);
  } catch (error) {
    if (id === openId && !view) fill(detail, troubled(error, () => refreshJob.now()));
    throw error;
  }
}

function finish(job) {
  refreshJob.stop();
  tell(job);
  if (ongoing.some((other) => other.id === job.id)) refreshList.now();
}

async function tellEnd(id) {
  if (!told.has(id)) tell((await read(`${JOBS}/${id}`)).job);
}

/** Say once that a job has ended. */
function tell(job) {
  if (told.has(job.id) || !FINAL.has(job.status)) return;
  told.add(job.id);
  const good = job.completedImages > 0;
  const words = good ? `${job.completedImages} of ${inWords(job)} are ready.` : `${inWords(job)}: none could be made.`;
  announce(`Job ${job.id} is finished`, { words, bad: !good, link: { words: good ? "See before and after" : "See why", href: `completed#job=${job.id}` } });
  tryCredits();
}

function showMore() {
  limit = Math.min(limit + PAGE, MOST);
  refreshList.now();
}

function nothing() {
  const actions = [linkButton("Optimize images", "./", { look: "primary", sign: "optimize" }), linkButton("See what is completed", "completed", { sign: "completed" })];
  return state({ sign: "ongoing", title: "Nothing is under way", words: "Jobs that wait or run stand here, with their progress. Choose some images to begin one.", actions });
}

/** The open job: its progress and its images. */
function openView() {
  const name = el("h2", {});
  const status = badge();
  const bar = progress("Progress of the open job");
  const facts = el("p", { class: "small soft numbers" });
  const end = el("div");
  const grid = el("ul", { class: "items" });
  const items = new KeyedList(grid, (item) => item.id, itemCard);
  fill(detail, el("div", { class: "card padded stack" }, el("div", { class: "row spread nowrap" }, name, status.element), bar.element, facts, end), grid);
  function update({ job, items: all }) {
    say(name, job.productName);
    status.update(job.status);
    bar.update(job);
    say(facts, factsOf(job));
    if (FINAL.has(job.status) && !end.firstChild) fill(end, ended(job));
    items.show(all);
  }
  return { update };
}

function factsOf(job) {
  const parts = [`Job ${job.id}`, `submitted ${moment(job.createdAt)}`, job.startedAt && `started ${moment(job.startedAt)}`, waitingWords(job)];
  return parts.filter(Boolean).join(" · ");
}

function ended(job) {
  const good = job.completedImages > 0;
  const title = good ? "All done" : "This job has ended without a result";
  const link = linkButton(good ? "See before and after" : "See why", `completed#job=${job.id}`, { look: "primary", sign: "completed" });
  return el("div", { class: "stack" }, stop(title, inWords(job), { good, role: null }), el("div", {}, link));
}

function itemCard(item) {
  const status = badge();
  const frame = el("div");
  const prompt = el("p", { class: "small clamp anywhere" }, item.prompt);
  const note = el("p", { class: "small soft numbers" });
  let shown = null;
  function update(now) {
    const address = now.optimizedImageUrl ?? now.previewUrl;
    if (address !== shown) fill(frame, picture({ address, alt: `${now.imageId}${now.optimizedImageUrl ? ", optimized" : ""}`, sizes: "(max-width: 48rem) 90vw, 18rem", whole: true }));
    shown = address;
    status.update(now.status);
    say(note, now.error ?? waitingWords(now) ?? "");
  }
  const words = el("div", { class: "item-words" }, el("div", { class: "row spread nowrap" }, el("h3", { class: "clip" }, item.imageId), status.element), prompt, note);
  return { element: el("li", { class: "card item" }, frame, words), update };
}

function bones() {
  return el("div", { class: "jobs-columns", role: "status", "aria-label": "Loading jobs" }, el("div", { class: "stack" }, [1, 2].map(() => el("div", { class: "card job bones", "aria-hidden": "true" }))), detailBones());
}

function detailBones() {
  const card = () => el("div", { class: "card item", "aria-hidden": "true" }, el("div", { class: "picture whole bones" }), el("div", { class: "item-words" }, el("div", { class: "bones line" }), el("div", { class: "bones line short" })));
  return el("div", { class: "stack" }, el("div", { class: "card padded bones summary", "aria-hidden": "true" }), el("div", { class: "items" }, [1, 2, 3].map(card)));
}
