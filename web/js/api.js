/** The REST API with this instance's token. What has not changed is not sent again: ETag, 304. */

import { token } from "./session.js";

const ROOT = new URL("../../", import.meta.url);
const PATIENCE = 20_000;
const MOST_KEPT = 100;

const kept = new Map();

/** The API refused: `code` and `detail` are the problem's, `status` is HTTP's, `retryAfter` seconds. */
export class Problem extends Error {
  constructor(response, facts) {
    super(facts.detail ?? `The service answered ${response.status}.`);
    this.status = response.status;
    this.code = facts.code ?? "";
    this.errors = facts.errors ?? {};
    this.facts = facts;
    this.requestId = facts.requestId ?? response.headers.get("X-Request-Id") ?? "";
    this.retryAfter = Number(response.headers.get("Retry-After")) || 0;
  }
}

/** Nobody answered: no network, or no service. */
export class Unreachable extends Error {}

/**
 * Read something; `query` holds parameters, of which empty ones are left out. The same object comes
 * back for as long as nothing has changed. Raises `Problem` or `Unreachable`.
 */
export async function read(path, query = {}, signal = undefined) {
  const address = addressOf(path, query);
  const before = kept.get(address);
  const headers = before ? { "If-None-Match": before.etag } : {};
  const response = await ask(address, { headers }, signal);
  if (response.status === 304) return before.body;
  const body = await bodyOf(response);
  keep(address, response.headers.get("ETag"), body);
  return body;
}

/**
 * Listen to what the service tells bit by bit, for as long as it does: a reader of pieces of text.
 * Raises `Problem` or `Unreachable`, also when it breaks off.
 */
export async function listen(path, headers, signal) {
  const response = await ask(addressOf(path, {}), { headers }, signal, null);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  return { read: () => reader.read().catch((error) => { throw lost(error); }) };
}

/** A file that only its owner may read: `{content, name}`, to be saved under that name. */
export async function file(path, query = {}) {
  const response = await ask(addressOf(path, query), {});
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "");
  return { content: await contentOf(response, "blob"), name: name?.[1] ?? "" };
}

/** Order something. With the same key it is done once, however often it is sent. */
export async function order(path, body, key) {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  const sent = { method: "POST", headers, body: JSON.stringify(body) };
  return bodyOf(await ask(addressOf(path, {}), sent));
}

/** Change something that costs nothing, by POST, PUT or DELETE; returns what is answered, if anything. */
export async function change(method, path, body = undefined) {
  const json = body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await ask(addressOf(path, {}), { method, ...json });
  return response.status === 204 ? null : bodyOf(response);
}

/** A key that nobody else has; `crypto.randomUUID` is there on secure addresses only. */
export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A picture in one of the widths that the service makes; it always comes from the service itself. */
export function pictureAt(address, width) {
  return `${new URL(address, ROOT).pathname}?width=${width}`;
}

/** Where a result is saved from: the service itself, wherever it is stored. */
export function downloadOf(address) {
  return `${new URL(address, ROOT).pathname}?download=true`;
}

/** Forget what was read, as when another shop connects. */
export function forgetAnswers() {
  kept.clear();
}

/** The whole address of something; `query` as for `read`. */
export function addressOf(path, query) {
  const address = new URL(path, ROOT);
  for (const [name, value] of Object.entries(query)) {
    if (value !== "" && value !== null && value !== undefined) address.searchParams.set(name, value);
  }
  return address.href;
}

async function ask(address, options, signal, patience = AbortSignal.timeout(PATIENCE)) {
  const headers = { ...options.headers, Authorization: authorization() };
  const until = AbortSignal.any([patience, signal].filter(Boolean));
  return heard(await fetched(address, { ...options, headers, cache: "no-store", signal: until }));
}

/** A token needs no encoding; with other signs, fetch would take what was pasted for no network. */
export function authorization() {
  return `Bearer ${encodeURIComponent(token())}`;
}

/** Return a good answer; raise `Problem` for another one, and let the page know of a refused token. */
export async function heard(response) {
  if (response.ok || response.status === 304) return response;
  const problem = new Problem(response, await factsOf(response));
  if (problem.status === 401) dispatchEvent(new CustomEvent("refused", { detail: problem }));
  throw problem;
}

async function fetched(address, options) {
  try {
    return await fetch(address, options);
  } catch (error) {
    throw lost(error);
  }
}

function bodyOf(response) {
  return contentOf(response, "json");
}

/** The network may end within an answer, and what stands in between may answer with a page. */
async function contentOf(response, kind) {
  try {
    return await response[kind]();
  } catch (error) {
    throw lost(error);
  }
}

/** The error of a page that got no answer. */
export function lost(error) {
  return error.name === "AbortError" ? error : new Unreachable("The service does not answer.");
}

/** A refusal of what stands in between (a proxy) holds nothing that we know. */
async function factsOf(response) {
  const type = response.headers.get("Content-Type") ?? "";
  return type.includes("json") ? bodyOf(response) : {};
}

function keep(address, etag, body) {
  kept.delete(address);
  if (etag) kept.set(address, { etag, body });
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
}
