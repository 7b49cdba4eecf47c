/** What went wrong, in words that say what to do next. */

import { Problem, Unreachable } from "./api.js";
import { counted } from "./format.js";
import { button, state } from "./parts.js";

const KNOWN = {
  catalogue_not_connected: "No shop is connected yet",
  catalogue_unavailable: "Your shop does not answer just now",
  too_many_requests: "Too many requests",
  not_found: "This is not here",
};

/** `{title, words}` for any error that a page can meet. */
export function explained(error) {
  if (error instanceof Unreachable) return unreachable();
  if (!(error instanceof Problem)) throw error;
  const title = KNOWN[error.code] ?? "That did not work";
  if (error.status === 429) return { title, words: `Wait ${counted(error.retryAfter || 1, "second")} and try again.` };
  if (error.status < 500) return { title, words: error.message };
  const wanted = error.requestId ? ` If it stays like this, tell support the request ${error.requestId}.` : "";
  return { title, words: error.message + wanted };
}

function unreachable() {
  if (!navigator.onLine) {
    return { title: "You are offline", words: "Nothing is lost: what you ordered goes on. Connect to the internet and try again." };
  }
  return { title: "Darkroom cannot be reached", words: "Nothing is lost: what you ordered goes on. Try again in a moment." };
}

/** The same as a part of the page, with a button to try again; once the network is back, it does. */
export function troubled(error, again) {
  const { title, words } = explained(error);
  const sign = error instanceof Unreachable ? "offline" : "failed";
  const actions = [button("Try again", { look: "primary", sign: "refresh", onclick: again })];
  const element = state({ sign, title, words, actions, bad: true });
  if (error instanceof Unreachable) addEventListener("online", () => element.isConnected && again(), { once: true });
  return element;
}
