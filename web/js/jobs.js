/** What the pages Ongoing and Completed share: the list of jobs, and which of them is open. */

import { Problem } from "./api.js";
import { el, KeyedList, say } from "./dom.js";
import { counted, moment, number, until } from "./format.js";
import { badge, linkButton, progress, state } from "./parts.js";
import { fragment } from "./session.js";

export const JOBS = "api/image-optimization/jobs";

/** The id of the job that the address names, or null. */
export function openJob() {
  return Number(fragment().get("job")) || null;
}

/** Cards of jobs; each is a link that opens its job. */
export class JobList {
  #list;

  constructor(name) {
    this.element = el("ul", { class: "job-list", "aria-label": name });
    this.#list = new KeyedList(this.element, (job) => job.id, jobCard);
  }

  show(jobs, openId) {
    this.#list.show(jobs);
    for (const job of jobs) this.#list.get(job.id).mark(job.id === openId);
  }
}

function jobCard(job) {
  const status = badge();
  const bar = progress(`Progress of job ${job.id}`);
  const name = el("span", { class: "name clip" });
  const when = el("span", { class: "small soft numbers" });
  const link = el(
    "a",
    { class: "card job", href: `#job=${job.id}` },
    el("span", { class: "row spread nowrap" }, name, status.element),
    bar.element,
    when,
  );
  function update(now) {
    say(name, now.productName);
    status.update(now.status);
    bar.update(now);
    say(when, `Job ${now.id} · ${now.finishedAt ? `finished ${moment(now.finishedAt)}` : (waitingWords(now) ?? `since ${moment(now.startedAt ?? now.createdAt)}`)}`);
  }
  const mark = (open) => (open ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current"));
  return { element: el("li", {}, link), update, mark };
}

/** "2 of yours ahead, starts in 20 seconds", of a job or an item that waits; null of others. */
export function waitingWords({ queuePosition, estimatedStartAt }) {
  if (!queuePosition) return null;
  const place = queuePosition === 1 ? "your next image" : `${number(queuePosition - 1)} of yours ahead`;
  return estimatedStartAt ? `${place}, starts ${until(estimatedStartAt)}` : place;
}

/** The same as the beginning of a line. */
export function capitalized(words) {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/** "5 images of Espresso cup". */
export function inWords(job) {
  return `${counted(job.totalImages, "image")} of ${job.productName}`;
}

/** Links to the job that this one is a retry of, and to the one that is a retry of it. */
export function chainLinks(job) {
  const link = (words, id) => id && el("a", { href: `completed#job=${id}` }, `${words} job ${id}`);
  const links = [link("A retry of", job.retryOf), link("Retried as", job.retriedBy)].filter(Boolean);
  return links.length > 0 && el("p", { class: "small row" }, links);
}

/** Whether somebody asked for a job that is not theirs, or not there at all. */
export function isMissing(error) {
  return error instanceof Problem && error.status === 404;
}

/** What stands in the place of such a job. */
export function noSuchJob(id) {
  const actions = [linkButton("See what is under way", "ongoing", { sign: "ongoing" }), linkButton("See what is completed", "completed", { sign: "completed" })];
  return state({ sign: "search", title: `There is no job ${id}`, words: "Its address may be mistyped, or it belongs to another shop than the one you are connected to.", actions });
}
