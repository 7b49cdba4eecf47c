/** Whether the queue moves, what this shop has in it, and when the end is expected. */

import { read } from "./api.js";
import { el, say } from "./dom.js";
import { counted, until } from "./format.js";
import { Refresher } from "./refresh.js";

const SECONDS = 5;
const PAUSES = {
  throttled: "The model's provider asked for a short pause",
  unreachable: "The model's provider does not answer",
  operator: "Paused by whoever runs Darkroom",
  unavailable: "Darkroom's queue does not answer",
};

/** A line that keeps itself up to date: `{element, refresher}`. */
export function queueLine() {
  const element = el("p", { class: "queue small numbers", role: "status" });
  const refresher = new Refresher(SECONDS, async () => {
    const queue = await read("api/queue");
    element.classList.toggle("paused", queue.paused);
    say(element, wordsOf(queue));
  });
  return { element, refresher };
}

function wordsOf(queue) {
  const words = [queue.paused && pauseWords(queue), ownWords(queue)];
  return words.filter(Boolean).join(" ");
}

function pauseWords({ pauseReason, resumesAt }) {
  return `${PAUSES[pauseReason]}: ${resumesAt ? `it goes on ${until(resumesAt)}` : "nothing is sent meanwhile"}.`;
}

function ownWords({ waitingImages, runningImages, estimatedEndAt }) {
  const words = [
    waitingImages && `${counted(waitingImages, "image waits", "images wait")}`,
    runningImages && `${runningImages} ${runningImages === 1 ? "is" : "are"} being made`,
    estimatedEndAt && `the last is sent ${until(estimatedEndAt)}`,
  ];
  const said = words.filter(Boolean).join(", ");
  return said && `${said}.`;
}
