/** Sending a file to the REST API. `fetch` cannot tell how far it is, so this asks the older way. */

import { addressOf, authorization, heard, lost } from "./api.js";

// A file takes as long as its way is slow; the service gives up before this page does.
const PATIENCE = 150_000;
const BUSY_TRIES = 8;

/**
 * Upload a picture; `progressed(share)` hears how much of it has been sent, from 0 to 1. While the
 * service has too many at once, it is sent again. Raises `Problem` or `Unreachable`.
 */
export async function upload(file, progressed) {
  for (let tries = 1; ; tries += 1) {
    try {
      const response = await heard(await sent("api/uploads", file, progressed));
      return await response.json();
    } catch (problem) {
      if (problem.code !== "uploads_busy" || tries === BUSY_TRIES) throw problem;
      await new Promise((done) => setTimeout(done, problem.retryAfter * 1000 * tries));
    }
  }
}

function sent(path, file, progressed) {
  const form = new FormData();
  form.append("file", file, file.name);
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", addressOf(path, {}));
    request.setRequestHeader("Authorization", authorization());
    request.timeout = PATIENCE;
    request.upload.onprogress = ({ loaded, total }) => progressed(total ? loaded / total : 0);
    request.onload = () => done(answerOf(request));
    request.onerror = request.ontimeout = () => failed(lost(new Error("not sent")));
    request.send(form);
  });
}

function answerOf(request) {
  const headers = new Headers();
  for (const name of ["Content-Type", "Retry-After", "X-Request-Id"]) {
    const value = request.getResponseHeader(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(request.responseText, { status: request.status, headers });
}
