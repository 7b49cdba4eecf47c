/** The prompts of an order: one for all images or one each, with suggestions and presets. */

import { el, fill, freshId, KeyedList } from "./dom.js";
import { tooLong } from "./draft.js";
import { icon } from "./icons.js";
import { SUGGESTIONS } from "./limits.js";
import { picture } from "./parts.js";

/** `edited()` after every change of the draft by hand. */
export class Prompts {
  #draft;
  #edited;
  #lastField = null;
  #all = new PromptField("Prompt for all images", "all", (text) => (this.#draft.prompt = text), this);
  #eachList = el("ul", { class: "stack" });
  #each = new KeyedList(this.#eachList, (image) => image.id, (image) => this.#promptOf(image));

  constructor(draft, edited) {
    this.#draft = draft;
    this.#edited = edited;
    this.elements = [this.#choice(), this.#all.element, this.#eachList, this.#suggestions()];
  }

  update() {
    const draft = this.#draft;
    this.#all.element.hidden = !draft.oneForAll;
    this.#all.show(draft.prompt);
    this.#eachList.hidden = draft.oneForAll;
    this.#each.show(draft.images);
  }

  /** A field of a prompt was entered or changed. */
  entered(field) {
    this.#lastField = field;
  }

  edited() {
    this.#edited();
  }

  /** The prompt that somebody is at: that for all, or the one of the image that was written last. */
  get current() {
    return this.#field()?.text ?? "";
  }

  set current(text) {
    this.#field()?.write(text);
  }

  /** Show the faults at their fields and go to the first; returns whether there are any. */
  complain(faults) {
    const fields = [this.#all, ...this.#draft.images.map((image) => this.#each.get(image.id).field)];
    const wrong = fields.filter((field) => field.complain(faults.get(field.name)));
    wrong[0]?.focus();
    return wrong.length > 0;
  }

  #choice() {
    const name = freshId("prompts");
    const one = (words, oneForAll) =>
      el(
        "label",
        {},
        el("input", { type: "radio", name, checked: this.#draft.oneForAll === oneForAll, onchange: () => this.#choose(oneForAll) }),
        el("span", {}, words),
      );
    const choice = el("div", { class: "choice" }, one("One for all", true), one("One each", false));
    return el("fieldset", { class: "field" }, el("legend", {}, "Prompts"), choice);
  }

  /** Nobody has to write twice what was written already. */
  #choose(oneForAll) {
    const draft = this.#draft;
    if (!oneForAll) for (const image of draft.images) draft.prompts[image.id] ||= draft.prompt;
    draft.oneForAll = oneForAll;
    this.#lastField = null;
    this.update();
    this.#edited();
  }

  #promptOf(image) {
    const write = (text) => (this.#draft.prompts[image.id] = text);
    const field = new PromptField(`Prompt for “${image.alt}”`, image.id, write, this);
    const shown = picture({ address: image.previewUrl, alt: "", sizes: "4rem" });
    const element = el("li", { class: "each" }, shown, field.element);
    return { element, field, update: () => field.show(this.#draft.prompts[image.id] ?? "") };
  }

  #suggestions() {
    const chips = SUGGESTIONS.map((words) => el("li", {}, el("button", { type: "button", class: "chip", onclick: () => this.#field()?.add(words) }, words)));
    const id = freshId("suggestions");
    return el("div", { class: "field" }, el("p", { id, class: "label" }, "Suggestions"), el("ul", { class: "chips", "aria-labelledby": id }, chips));
  }

  #field() {
    if (this.#draft.oneForAll) return this.#all;
    const [first] = this.#draft.images;
    return this.#lastField ?? (first && this.#each.get(first.id).field);
  }
}

/** A field for a prompt, with what is wrong with it. */
export class PromptField {
  #id = freshId("prompt");
  #write;
  #form;
  #fault = el("p", { class: "fault", id: `${this.#id}-fault`, hidden: true });
  #field = el("textarea", {
    id: this.#id,
    class: "input",
    rows: 3,
    placeholder: "What should be done? For example: white background, brighter",
    "aria-describedby": `${this.#id}-fault`,
    oninput: () => this.#edited(),
    onfocus: () => this.#form.entered(this),
  });

  constructor(label, name, write, form) {
    this.name = name;
    this.#write = write;
    this.#form = form;
    this.element = el("div", { class: "field" }, el("label", { for: this.#id }, label), this.#field, this.#fault);
  }

  get text() {
    return this.#field.value;
  }

  show(text) {
    if (this.#field.value !== text) this.#field.value = text;
  }

  write(text) {
    this.show(text);
    this.#edited();
  }

  /** Put a suggestion behind what stands there. */
  add(words) {
    const text = this.#field.value.trim().replace(/[,.;]+$/, "");
    this.write(text ? `${text}, ${words[0].toLowerCase()}${words.slice(1)}` : words);
  }

  /** Show a fault, or none; returns whether there is one. */
  complain(words) {
    this.#fault.hidden = !words;
    fill(this.#fault, words && icon("failed"), words);
    this.#field.setAttribute("aria-invalid", String(Boolean(words)));
    if (words) this.element.scrollIntoView({ block: "nearest" });
    return Boolean(words);
  }

  focus() {
    this.#field.focus();
    this.element.scrollIntoView({ block: "nearest" });
  }

  #edited() {
    this.#write(this.#field.value);
    this.complain(tooLong(this.#field.value));
    this.#form.edited();
  }
}
