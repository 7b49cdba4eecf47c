/** The batches on the page Ongoing: one line each with the progress of all, and links to its jobs. */

import { read } from "./api.js";
import { el, KeyedList, say } from "./dom.js";
import { counted } from "./format.js";
import { isMissing } from "./jobs.js";
import { badge, progress } from "./parts.js";
import { fragment } from "./session.js";
import { explained } from "./troubles.js";

const BATCHES = "api/image-optimization/batches";
const FINAL = new Set(["DONE", "FAILED", "CANCELED"]);

export class BatchLines {
  #lines = el("ul", { class: "job-list", "aria-label": "Batches" });
  #list = new KeyedList(this.#lines, (batch) => batch.id, batchLine);
  /** Those that ended before one's eyes stay, so that nothing jumps. */
  #seen = new Set();
  element = el("div", { class: "batches", hidden: true }, this.#lines);

  /** Read what is under way, and the one that the address names; return what shows all of it. */
  async look() {
    const { batches } = await read(BATCHES);
    const wanted = Number(fragment().get("batch")) || null;
    const shown = batches.filter(({ id, status }) => !FINAL.has(status) || id === wanted || this.#seen.has(id));
    if (wanted && !shown.some(({ id }) => id === wanted)) shown.push(...(await oneBatch(wanted)));
    const opening = this.#seen.has(wanted) ? null : wanted;
    const open = shown.filter(({ id }) => id === opening || this.#list.get(id)?.isOpen);
    const facts = await Promise.all(open.map(({ id }) => read(`${BATCHES}/${id}`)));
    return () => this.#show(shown, facts, opening);
  }

  /** All at once: nothing that stands below them moves twice. */
  #show(shown, facts, opening) {
    for (const { id } of shown) this.#seen.add(id);
    this.#list.show(shown);
    this.element.hidden = shown.length === 0;
    for (const each of facts) this.#list.get(each.batch.id)?.showJobs(each);
    if (opening) this.#list.get(opening)?.open();
  }
}

/** Of an older one; one that is not there is nothing to show. */
async function oneBatch(id) {
  try {
    return [(await read(`${BATCHES}/${id}`)).batch];
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function batchLine({ id, totalJobs }) {
  const status = badge();
  const bar = progress(`Progress of batch ${id}`);
  const jobs = el("ul", { class: "batch-jobs small numbers", "aria-label": `Jobs of batch ${id}` });
  const list = new KeyedList(jobs, (job) => job.id, jobLink);
  const name = el("span", { class: "row spread nowrap" }, el("span", { class: "name" }, `Batch ${id} · ${counted(totalJobs, "job")}`), status.element);
  const details = el("details", { class: "batch", ontoggle: () => opened() }, el("summary", {}, name), jobs);
  function update(batch) {
    status.update(batch.status);
    bar.update(batch);
  }
  function showJobs(facts) {
    update(facts.batch);
    list.show(facts.jobs);
  }
  /** Its jobs are asked for only while somebody looks at them; where that fails, with the next look. */
  async function opened() {
    if (!details.open || jobs.childElementCount) return;
    try {
      showJobs(await read(`${BATCHES}/${id}`));
    } catch (error) {
      explained(error);
    }
  }
  const open = () => (details.open = true);
  return { element: el("li", { class: "card padded stack tight" }, details, bar.element), update, showJobs, open, get isOpen() { return details.open; } };
}

function jobLink({ id }) {
  const link = el("a", { class: "anywhere" });
  const words = el("span", { class: "soft" });
  function update(job) {
    link.setAttribute("href", FINAL.has(job.status) ? `completed#job=${id}` : `#job=${id}`);
    say(link, `Job ${id}: ${job.productName}`);
    say(words, ` ${job.completedImages} of ${job.totalImages} ready`);
  }
  return { element: el("li", {}, link, words), update };
}
