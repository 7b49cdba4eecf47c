/** Further images that the model is to look at: a style, a background, another product. */

import { Problem, read } from "./api.js";
import { el, fill, freshId, KeyedList } from "./dom.js";
import { icon } from "./icons.js";
import { MOST_REFERENCES } from "./limits.js";
import { button, picture } from "./parts.js";
import { explained } from "./troubles.js";

/** `edited()` after every change of the draft. */
export class References {
  #draft;
  #edited;
  #id = freshId("reference");
  #list = el("ul", { class: "references" });
  #shown = new KeyedList(this.#list, ({ url }) => url, (reference) => this.#tile(reference));
  #told = el("p", { class: "fault", id: `${this.#id}-fault`, hidden: true });
  #field = el("input", {
    id: this.#id,
    class: "input",
    type: "url",
    inputmode: "url",
    placeholder: "https://…",
    autocomplete: "off",
    maxlength: 2048,
    "aria-describedby": `${this.#id}-fault`,
    onkeydown: (event) => this.#onKey(event),
  });
  #adding = el("div", { class: "row nowrap" }, this.#field, button("Add", { "aria-label": "Add the reference image", onclick: () => this.#add() }));

  constructor(draft, edited) {
    this.#draft = draft;
    this.#edited = edited;
    const label = el("label", { for: this.#id }, `Reference images (up to ${MOST_REFERENCES})`);
    const help = el("p", { class: "small soft" }, "Images that the model looks at besides: say in the prompt what for.");
    this.element = el("div", { class: "field whole" }, label, help, this.#list, this.#adding, this.#told);
  }

  update() {
    this.#list.hidden = this.#draft.references.length === 0;
    this.#shown.show(this.#draft.references);
    this.#adding.hidden = this.#draft.references.length >= MOST_REFERENCES;
  }

  #tile({ url, previewUrl }) {
    const name = new URL(url, location.href).pathname.split("/").pop() || url;
    const remove = button("", { look: "plain square", sign: "close", "aria-label": `Remove the reference ${name}`, onclick: () => this.#remove(url) });
    return { element: el("li", {}, picture({ address: previewUrl, alt: name, sizes: "4rem" }), remove), update() {} };
  }

  #remove(url) {
    this.#draft.references = this.#draft.references.filter((other) => other.url !== url);
    this.#tell(null);
    this.#changed();
    this.#field.focus();
  }

  /** Enter in a field of a form would send the order. */
  #onKey(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    this.#add();
  }

  async #add() {
    const given = this.#field.value.trim();
    if (!given) {
      this.#tell("Paste the address of an image, like https://shop.example/cup.jpg.");
      return;
    }
    try {
      const { imageUrl, previewUrl } = await read("api/previews", { url: given });
      this.#take({ url: imageUrl, previewUrl });
    } catch (error) {
      this.#tell(error instanceof Problem && error.errors.url ? error.errors.url.join(" ") : explained(error).words);
    }
  }

  /** The same image twice says nothing more; and there may be three by the time of the answer. */
  #take(reference) {
    const known = this.#draft.references;
    this.#tell(null);
    this.#field.value = "";
    if (known.length >= MOST_REFERENCES || known.some(({ url }) => url === reference.url)) return;
    known.push(reference);
    this.#changed();
  }

  #changed() {
    this.update();
    this.#edited();
  }

  #tell(words) {
    this.#told.hidden = !words;
    fill(this.#told, words && icon("failed"), words);
    this.#field.setAttribute("aria-invalid", String(Boolean(words)));
  }
}
