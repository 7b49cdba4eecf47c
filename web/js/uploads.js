/** Pictures from somebody's own disk: chosen in a dialog, or dropped on the page. */

import { Problem } from "./api.js";
import { el, fill, freshId, say } from "./dom.js";
import { counted } from "./format.js";
import { icon } from "./icons.js";
import { UPLOAD_KINDS } from "./limits.js";
import { button } from "./parts.js";
import { upload } from "./sending.js";
import { explained } from "./troubles.js";

/** `add(image)` is called with each picture once it is uploaded; `onto` is what takes drops. */
export class UploadField {
  #add;
  #waiting = [];
  #busy = false;
  #done = 0;
  #told = el("p", { class: "small soft", role: "status" });
  #list = el("ul", { class: "stack tight sending" });

  constructor(add, onto) {
    this.#add = add;
    const id = freshId("upload");
    const field = el("input", { id, type: "file", class: "file", multiple: true, accept: UPLOAD_KINDS.join(","), "aria-describedby": `${id}-hint` });
    field.addEventListener("change", () => {
      this.#take([...field.files]);
      // The same file may be chosen once more.
      field.value = "";
    });
    this.element = el(
      "div",
      { class: "field drop" },
      el("label", { for: id }, "Upload images"),
      field,
      el("p", { id: `${id}-hint`, class: "small soft" }, "JPEG, PNG or WebP. You may also drop them here."),
      this.#told,
      this.#list,
    );
    this.#takeDrops(onto);
  }

  #takeDrops(onto) {
    const over = (event, is) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      this.element.classList.toggle("over", is);
    };
    onto.addEventListener("dragover", (event) => over(event, true));
    onto.addEventListener("dragleave", (event) => over(event, false));
    onto.addEventListener("drop", (event) => {
      over(event, false);
      this.#take([...event.dataTransfer.files]);
    });
  }

  #take(files) {
    this.#waiting.push(...files.map((file) => this.#row(file)));
    if (!this.#busy) this.#sendAll();
  }

  #row(file) {
    const bar = el("progress", { max: 1, value: 0, "aria-label": `Sending ${file.name}` });
    const element = el("li", { class: "row nowrap" }, el("span", { class: "clip small" }, file.name), bar);
    this.#list.append(element);
    return { file, bar, element };
  }

  /** One after the other: the service has few places, and each picture is there as soon as it can be. */
  async #sendAll() {
    this.#busy = true;
    this.#done = 0;
    while (this.#waiting.length) {
      say(this.#told, `Uploading: ${counted(this.#waiting.length, "image")} to go`);
      await this.#send(this.#waiting.shift());
    }
    say(this.#told, this.#done ? `${counted(this.#done, "image")} uploaded` : "");
    this.#busy = false;
  }

  async #send({ file, bar, element }) {
    try {
      const told = await upload(file, (share) => (bar.value = share));
      element.remove();
      this.#done += 1;
      this.#add(imageOf(told));
    } catch (error) {
      this.#refuse(element, file, error);
    }
  }

  #refuse(element, file, error) {
    const { words } = explained(error);
    const why = error instanceof Problem && error.errors.file ? error.errors.file.join(" ") : words;
    const away = button("Dismiss", { look: "plain", "aria-label": `Dismiss ${file.name}`, onclick: () => element.remove() });
    const told = el("p", { class: "fault", role: "alert" }, icon("failed"), `${file.name}: ${why}`);
    fill(element, told, away);
  }
}

/** As the page knows images. */
function imageOf({ id, imageUrl, fileName }) {
  const name = fileName ?? "Upload";
  return { id: `upload-${id}`, url: imageUrl, alt: name, previewUrl: imageUrl };
}
