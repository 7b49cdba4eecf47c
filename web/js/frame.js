/** What is around every page: the bar, the balance, connecting, and what is said in passing. */

import { forgetAnswers, Problem, read } from "./api.js";
import { el, fill, freshId } from "./dom.js";
import { number } from "./format.js";
import { icon } from "./icons.js";
import { button, stop } from "./parts.js";
import { forget, keepToken, takeTokenFromAddress, token } from "./session.js";
import { explained } from "./troubles.js";

const PAGES = [
  ["optimize", "./", "Optimize"],
  ["ongoing", "ongoing", "Ongoing"],
  ["completed", "completed", "Completed"],
  ["usage", "usage", "Usage"],
];
const main = document.getElementById("main");
const balance = el("span", { class: "balance", hidden: true });
const leave = button("", { look: "plain square", sign: "out", "aria-label": "Disconnect", title: "Disconnect", hidden: true, onclick: disconnect });
const notice = el("div", { role: "status" });
const toasts = el("div", { class: "toasts", role: "status" });
let connecting = null;

/** Build the frame, and call `show()` once there is a token that the API knows. */
export function openFrame(show) {
  takeTokenFromAddress();
  document.body.prepend(skipLink(), bar());
  document.body.append(el("div", { class: "passing" }, notice, toasts));
  addEventListener("offline", tellConnection);
  addEventListener("online", tellConnection);
  addEventListener("refused", () => askForToken(show, "This token is not known any more. Connect again."));
  followToken();
  tellConnection();
  if (token()) enter(show);
  else askForToken(show);
}

/**
 * Begin anew as somebody else: a link with another token was opened where this page is open, or the
 * browser comes back to a page that it kept as it was, with what another shop or nobody may see now.
 */
function followToken() {
  const begun = token();
  addEventListener("hashchange", () => takeTokenFromAddress() && location.reload());
  addEventListener("pageshow", (event) => event.persisted && token() !== begun && location.reload());
}

/** Read the balance and show it on top; returns all that `GET /api/credits` tells. */
export async function refreshCredits() {
  const credits = await read("api/credits");
  fill(balance, el("strong", {}, number(credits.balance)), el("span", { class: "small" }, "credits"));
  balance.classList.toggle("none", credits.balance < credits.creditsPerImage);
  balance.hidden = false;
  return credits;
}

/** The same where nothing depends on it: without an answer the old balance stays, and null comes. */
export async function tryCredits() {
  try {
    return await refreshCredits();
  } catch (error) {
    explained(error);
    return null;
  }
}

/** Say something in passing; it stays until it is closed. `link` is `{words, href}`. */
export function announce(title, { words = "", link = null, bad = false } = {}) {
  const toast = el(
    "div",
    { class: bad ? "toast bad" : "toast" },
    icon(bad ? "failed" : "done"),
    el("div", { class: "toast-words" }, el("strong", {}, title), words && el("span", { class: "small soft" }, words), link && el("a", { href: link.href }, link.words)),
    button("", { look: "plain square", sign: "close", "aria-label": "Close this message", onclick: () => toast.remove() }),
  );
  toasts.append(toast);
  while (toasts.children.length > 3) toasts.firstElementChild.remove();
}

function bar() {
  const here = document.body.dataset.page;
  const links = PAGES.map(([name, href, words]) => el("a", { href, "aria-current": name === here && "page" }, icon(name), words));
  const sign = el("img", { src: "web/favicon.svg", alt: "", width: 28, height: 28 });
  return el(
    "header",
    { class: "bar" },
    el(
      "div",
      { class: "bar-inside" },
      el("a", { class: "brand", href: "./" }, sign, "Darkroom"),
      el("nav", { class: "tabs", "aria-label": "Pages" }, links),
      el("div", { class: "bar-end" }, balance, leave),
    ),
  );
}

/** The fragment of the address is the pages' own: a jump must not change it. */
function skipLink() {
  const jump = (event) => {
    event.preventDefault();
    main.focus();
  };
  return el("a", { class: "skip", href: "#main", onclick: jump }, "Skip to content");
}

function tellConnection() {
  const words = "You are offline. What was ordered goes on; this page goes on once you are back.";
  fill(notice, !navigator.onLine && el("p", { class: "notice" }, words));
}

function enter(show) {
  connecting?.remove();
  connecting = null;
  main.hidden = false;
  leave.hidden = false;
  tryCredits();
  show();
}

function disconnect() {
  forget();
  forgetAnswers();
  location.assign("./");
}

/** Ask for the token in the place of the page. */
function askForToken(show, complaint = "") {
  if (connecting) return;
  forget();
  forgetAnswers();
  main.hidden = true;
  leave.hidden = true;
  balance.hidden = true;
  connecting = connectForm(show, complaint);
  main.before(connecting);
}

function connectForm(show, complaint) {
  const id = freshId("token");
  const field = el("input", { id, class: "input", type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": `${id}-help` });
  const told = el("div", {}, complaint && stop("Not connected", complaint));
  const go = button("Connect", { look: "primary wide", type: "submit" });
  const form = el(
    "form",
    { class: "card padded stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); connect(field, told, show); } },
    el("div", { class: "field" }, el("label", { for: id }, "Token of your shop"), field, el("p", { id: `${id}-help`, class: "small soft" }, "It begins with dk_ and was shown once when your shop was set up. This tab keeps it until it is closed.")),
    told,
    go,
  );
  return el("main", { id: "connect", class: "stack connect" }, icon("key"), el("h1", {}, "Connect your shop"), el("p", { class: "soft" }, "Darkroom turns your product photographs into better ones."), form);
}

async function connect(field, told, show) {
  const given = field.value.trim();
  field.setAttribute("aria-invalid", String(!given));
  if (!given) {
    fill(told, stop("No token", "Paste the token of your shop."));
    field.focus();
    return;
  }
  keepToken(given);
  try {
    await refreshCredits();
  } catch (error) {
    refuse(error, field, told);
    return;
  }
  location.reload();
}

function refuse(error, field, told) {
  forget();
  const unknown = error instanceof Problem && error.status === 401;
  const { title, words } = unknown ? { title: "This token is not known", words: "Check that you copied all of it, or ask for a new one." } : explained(error);
  field.setAttribute("aria-invalid", String(unknown));
  fill(told, stop(title, words));
  field.focus();
}
