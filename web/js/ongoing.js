/** The page Ongoing: what is under way, refreshed for as long as somebody looks. */

import { change, read } from "./api.js";
import { BatchLines } from "./batches.js";
import { el, fill, KeyedList, say } from "./dom.js";
import { announce, openFrame, tryCredits } from "./frame.js";
import { moment, took } from "./format.js";
import { capitalized, chainLinks, inWords, isMissing, JobList, JOBS, noSuchJob, openJob, waitingWords } from "./jobs.js";
import { Follower } from "./live.js";
import { askingButton, badge, button, linkButton, picture, progress, state } from "./parts.js";
import { queueLine } from "./queue.js";
import { Refresher } from "./refresh.js";
import { explained, troubled } from "./troubles.js";

const LIST_SECONDS = 5;
const JOB_SECONDS = 3;
const PAGE = 20;
const MOST = 100;
const FINAL = new Set(["DONE", "FAILED", "CANCELED"]);
const FRESH = "Keeps itself up to date.";
const IDLE = "Nothing else is under way.";
const ENDED_SHOWN = 10;

const page = document.getElementById("jobs");
const list = new JobList("Ongoing jobs");
const detail = el("section", { class: "detail", "aria-label": "The open job" });
const freshness = el("p", { class: "freshness small soft numbers", role: "status" }, FRESH);
const lines = new BatchLines();
const queue = queueLine();
const head = el("div", {}, el("h1", {}, "Ongoing"), freshness, queue.element, lines.element);
const more = button("Show more", { hidden: true, onclick: showMore });
const columns = el("div", { class: "jobs-columns" }, el("div", { class: "stack" }, list.element, more), detail);
const empty = nothing();
const refreshList = new Refresher(LIST_SECONDS, lookAtList);

let ongoing = null;
let limit = PAGE;
let openId = null;
let refreshJob = null;
let view = null;
let lastSeen = null;
/** Jobs that ended before one's eyes: they stay in the list, so that nothing jumps, the last ones. */
const ended = new Map();
/** Jobs that have left the list, until it is known how they ended. */
const gone = new Set();

openFrame(() => {
  fill(page, head, bones());
  addEventListener("hashchange", followAddress);
  addEventListener("online", () => [refreshList, refreshJob, queue.refresher].forEach((each) => each?.now()));
  addEventListener("refused", () => [refreshList, refreshJob, queue.refresher].forEach((each) => each?.stop()));
  refreshList.start();
  queue.refresher.start();
});

async function lookAtList() {
  try {
    const [{ jobs, nextCursor }, showLines] = await Promise.all([read(JOBS, { status: "PENDING,RUNNING", limit }), lines.look()]);
    noteGone(jobs);
    await Promise.all([...gone].map(tellEnd));
    // The answer may be older than what was read of a job that has ended since.
    ongoing = jobs.filter((job) => !ended.has(job.id));
    more.hidden = !nextCursor || limit >= MOST;
    tellFresh();
    showLines();
    chooseJob();
  } catch (error) {
    showTrouble(error);
    throw error;
  }
}

function noteGone(jobs) {
  for (const job of ongoing ?? []) gone.add(job.id);
  for (const job of jobs) gone.delete(job.id);
}

function tellFresh() {
  lastSeen = new Date();
  say(freshness, ended.size && !ongoing.length ? IDLE : FRESH);
}

/** What was seen before stays: it is still true of a moment ago. */
function showTrouble(error) {
  if (ongoing) say(freshness, `${explained(error).title}. This is how it was at ${moment(lastSeen)}.`);
  else fill(page, head, troubled(error, () => refreshList.now()));
}

/** An address without a job means the newest one, as it did when the page was opened. */
function followAddress() {
  if (!openJob()) open(null);
  chooseJob();
}

/** Open the job that the address names, or stay with the open one, or take the newest. */
function chooseJob() {
  if (!ongoing) return;
  const wanted = openJob() ?? openId ?? ongoing[0]?.id ?? null;
  if (wanted !== openId) open(wanted);
  list.show([...ongoing, ...ended.values()].sort((one, other) => other.id - one.id), openId);
  show(openId ? columns : empty);
  document.title = `${ongoing.length ? `(${ongoing.length}) ` : ""}Ongoing · Darkroom`;
}

/** What is taken out and put back loses its focus and how far it was scrolled. */
function show(part) {
  if (!part.isConnected) fill(page, head, part);
}

/** Every job has a follower of its own: what the one before still waits for keeps nobody waiting. */
function open(id) {
  openId = id;
  view = null;
  refreshJob?.stop();
  refreshJob = id && new Follower(JOB_SECONDS, `${JOBS}/${id}`, { look: () => lookAtJob(id), show: (facts) => showJob(id, facts) });
  fill(detail, detailBones());
  refreshJob?.start();
}

async function lookAtJob(id) {
  try {
    return await read(`${JOBS}/${id}`);
  } catch (error) {
    if (id === openId) showJobTrouble(error, id);
    throw error;
  }
}

function showJob(id, facts) {
  if (id !== openId) return;
  view ??= openView();
  view.update(facts);
  if (FINAL.has(facts.job.status)) finish(facts.job);
}

function showJobTrouble(error, id) {
  if (isMissing(error)) {
    refreshJob.stop();
    fill(detail, noSuchJob(id));
  } else if (!view) {
    fill(detail, troubled(error, () => refreshJob.now()));
  }
}

function finish(job) {
  refreshJob.stop();
  tell(job);
  refreshList.now();
}

/** One that was only pushed out of the list by newer ones goes on, and is asked about again. */
async function tellEnd(id) {
  const { job } = await read(`${JOBS}/${id}`);
  if (!FINAL.has(job.status)) return;
  gone.delete(id);
  tell(job);
}

/** Say once that a job has ended; one that had ended before the page was opened is no news. */
function tell(job) {
  const isNews = ongoing.some((other) => other.id === job.id) || gone.has(job.id);
  if (!isNews || ended.has(job.id)) return;
  keepEnded(job);
  tryCredits();
  const good = job.completedImages > 0;
  if (job.status === "CANCELED") return announce(`Job ${job.id} is canceled`, { words: `${inWords(job)}.`, link: { words: "See its images", href: `completed#job=${job.id}` } });
  const words = good ? `${job.completedImages} of ${inWords(job)} are ready.` : `${inWords(job)}: none could be made.`;
  announce(`Job ${job.id} is finished`, { words, bad: !good, link: { words: good ? "See before and after" : "See why", href: `completed#job=${job.id}` } });
}

function keepEnded(job) {
  ended.set(job.id, job);
  if (ended.size > ENDED_SHOWN) ended.delete(ended.keys().next().value);
  ongoing = ongoing.filter((other) => other.id !== job.id);
  chooseJob();
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
  const name = el("h2", { class: "clamp anywhere" });
  const status = badge();
  const bar = progress("Progress of the open job");
  const facts = el("p", { class: "small soft numbers" });
  const now = el("p", { class: "small soft numbers" });
  const stopping = el("div");
  const next = el("div", { class: "next" }, el("div", { class: "row nowrap" }, stopping, el("p", { class: "small soft" }, "You may close this page: it goes on.")));
  const chain = el("div");
  let hasEnded = false;
  let canBeCanceled = null;
  const grid = el("ul", { class: "items" });
  const items = new KeyedList(grid, (item) => item.id, (item) => itemCard(item, openId));
  fill(detail, el("div", { class: "card padded stack" }, el("div", { class: "row spread nowrap" }, name, status.element), bar.element, el("div", {}, facts, now, chain), next), grid);
  function update({ job, items: all }) {
    say(name, job.productName);
    name.title = job.productName;
    status.update(job.status);
    bar.update(job);
    say(facts, `Job ${job.id} · submitted ${moment(job.createdAt)}`);
    say(now, nowOf(job));
    items.show(all);
    offerCancel(job, all.some(isCancelable));
    if (hasEnded || !FINAL.has(job.status)) return;
    hasEnded = true;
    fill(next, resultLink(job));
  }
  function offerCancel(job, can) {
    if (can === canBeCanceled) return;
    canBeCanceled = can;
    fill(chain, chainLinks(job));
    fill(stopping, can && cancelJob(job));
  }
  return { update };
}

/** What waits, and what was sent and is not wanted canceled already. */
function isCancelable(item) {
  return item.status === "PENDING" || (item.status === "RUNNING" && !item.cancelRequestedAt);
}

function cancelJob(job) {
  const question = "Cancel what is left of this job? What waits costs nothing then. What is being made may still be finished, or cost its credits.";
  return askingButton("Cancel job", { question, yes: "Yes, cancel it", explain: explained, act: () => cancel(job.id, `${JOBS}/${job.id}/cancel`) });
}

function cancelImage(jobId, item) {
  const question = item.status === "PENDING" ? "Cancel this image? Its credits are given back." : "Cancel this image? It may still be finished, or cost its credits.";
  const act = () => cancel(jobId, `${JOBS}/${jobId}/items/${item.id}/cancel`);
  return askingButton("Cancel", { question, yes: "Yes, cancel it", explain: explained, act, "aria-label": `Cancel ${item.imageId}` });
}

/** Refused, it may have ended meanwhile: both are looked at in any case. */
async function cancel(id, path) {
  try {
    const facts = await change("POST", path);
    if (id === openId) view?.update(facts);
    tryCredits();
  } finally {
    if (id === openId) refreshJob?.now();
    refreshList.now();
  }
}

/** What a job does now; always one line, so that nothing below it jumps. */
function nowOf(job) {
  if (job.finishedAt) return `Finished ${moment(job.finishedAt)} after ${took(job.createdAt, job.finishedAt)}`;
  return capitalized(waitingWords(job) ?? `started ${moment(job.startedAt ?? job.createdAt)}`);
}

function resultLink(job) {
  const without = job.status === "CANCELED" ? "See its images" : "See why";
  return linkButton(job.completedImages > 0 ? "See before and after" : without, `completed#job=${job.id}`, { look: "primary", sign: "completed" });
}

function itemCard(item, jobId) {
  const status = badge();
  const frame = el("div");
  const prompt = el("p", { class: "small clamp anywhere" }, item.prompt);
  const note = el("p", { class: "note small soft numbers" });
  const stopping = el("div", { class: "stopping" });
  let shown = null;
  let cancelableAs = null;
  function update(now) {
    const address = now.optimizedImageUrl ?? now.previewUrl;
    if (address !== shown) fill(frame, picture({ address, alt: `${now.imageId}${now.optimizedImageUrl ? ", optimized" : ""}`, sizes: "(max-width: 48rem) 90vw, 18rem", whole: true }));
    shown = address;
    status.update(now.status);
    say(note, noteOf(now));
    const kind = isCancelable(now) && now.status;
    if (kind === cancelableAs) return;
    cancelableAs = kind;
    fill(stopping, kind && cancelImage(jobId, now));
  }
  const words = el("div", { class: "item-words" }, el("div", { class: "row spread nowrap" }, el("h3", { class: "clip" }, item.imageId), status.element), prompt, note, stopping);
  return { element: el("li", { class: "card item" }, frame, words), update };
}

function noteOf(item) {
  if (item.status === "RUNNING" && item.cancelRequestedAt) return "To be canceled: the model has not answered yet.";
  return item.error ?? capitalized(waitingWords(item) ?? "");
}

function bones() {
  return el("div", { class: "jobs-columns", role: "status", "aria-label": "Loading jobs" }, el("div", { class: "stack" }, [1, 2].map(() => el("div", { class: "card job bones", "aria-hidden": "true" }))), detailBones());
}

function detailBones() {
  const card = () => el("div", { class: "card item", "aria-hidden": "true" }, el("div", { class: "picture whole bones" }), el("div", { class: "item-words" }, el("div", { class: "bones line" }), el("div", { class: "bones line short" })));
  return el("div", { class: "stack" }, el("div", { class: "card padded bones summary", "aria-hidden": "true" }), el("div", { class: "items" }, [1, 2, 3].map(card)));
}
