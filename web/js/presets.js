/** Prompts with their options, put by under a name, to be used again. */

import { change, read } from "./api.js";
import { el, fill, freshId, say } from "./dom.js";
import { icon } from "./icons.js";
import { button } from "./parts.js";
import { explained } from "./troubles.js";

const ROUTE = "api/prompt-presets";

/** `edited()` after a preset was taken into the draft. */
export class Presets {
  #draft;
  #prompts;
  #edited;
  #all = [];
  #id = freshId("preset");
  #choice = el("select", { id: this.#id, class: "input", onchange: () => this.#take() });
  #remove = button("Delete", { look: "plain", hidden: true, onclick: () => this.#try(() => this.#delete()) });
  #open = button("Save …", { "aria-expanded": "false", onclick: () => this.#showNaming(this.#naming.hidden) });
  #name = el("input", { id: `${this.#id}-name`, class: "input", maxlength: 100, autocomplete: "off", oninput: () => this.#showVerb(), onkeydown: (event) => this.#onKey(event) });
  #save = button("Save", { onclick: () => this.#try(() => this.#keep()) });
  #naming = el("div", { class: "field", hidden: true }, el("label", { for: `${this.#id}-name` }, "Name of the preset"), el("div", { class: "row nowrap" }, this.#name, this.#save));
  #told = el("p", { class: "small soft", role: "status" });

  constructor(draft, prompts, edited) {
    this.#draft = draft;
    this.#prompts = prompts;
    this.#edited = edited;
    const row = el("div", { class: "row nowrap" }, this.#choice, this.#open, this.#remove);
    this.element = el("div", { class: "field presets" }, el("label", { for: this.#id }, "Preset"), row, this.#naming, this.#told);
    this.#show("");
  }

  /** Take what the API lists. */
  set all(presets) {
    this.#all = presets;
    this.#show(this.#choice.value);
  }

  #show(chosen) {
    const none = this.#all.length ? "Choose a preset …" : "None yet";
    const options = this.#all.map(({ id, name }) => el("option", { value: id }, name));
    fill(this.#choice, el("option", { value: "" }, none), options);
    this.#choice.value = this.#all.some(({ id }) => String(id) === chosen) ? chosen : "";
    this.#remove.hidden = !this.#choice.value;
  }

  get #chosen() {
    return this.#all.find(({ id }) => String(id) === this.#choice.value);
  }

  #take() {
    const preset = this.#chosen;
    this.#remove.hidden = !preset;
    this.#tell("");
    if (!preset) return;
    this.#draft.takeOptions(preset.options);
    this.#prompts.current = preset.prompt;
    this.#edited();
  }

  #showNaming(open) {
    this.#naming.hidden = !open;
    this.#open.setAttribute("aria-expanded", String(open));
    this.#tell("");
    if (!open) return;
    this.#name.value = this.#chosen?.name ?? "";
    this.#showVerb();
    this.#name.focus();
  }

  /** The preset that has this name already would be replaced: the button says so. */
  #showVerb() {
    say(this.#save, this.#named ? "Replace" : "Save");
  }

  get #named() {
    const name = this.#name.value.trim();
    return this.#all.find((preset) => preset.name === name);
  }

  /** Enter in a field of a form would send the order. */
  #onKey(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    this.#try(() => this.#keep());
  }

  async #keep() {
    const name = this.#name.value.trim();
    const prompt = this.#prompts.current.trim();
    if (!name || !prompt) {
      this.#tell(name ? "Write a prompt first." : "Give the preset a name.", true);
      return;
    }
    const content = { name, prompt, options: this.#draft.options() };
    const known = this.#named;
    const { id } = await (known ? change("PUT", `${ROUTE}/${known.id}`, content) : change("POST", ROUTE, content));
    await this.#read(String(id));
    this.#showNaming(false);
    this.#open.focus();
    this.#tell(`“${name}” is saved.`);
  }

  async #delete() {
    const { id, name } = this.#chosen;
    await change("DELETE", `${ROUTE}/${id}`);
    await this.#read("");
    this.#choice.focus();
    this.#tell(`“${name}” is deleted.`);
  }

  async #read(chosen) {
    this.#all = (await read(ROUTE)).presets;
    this.#show(chosen);
  }

  async #try(act) {
    try {
      await act();
    } catch (error) {
      this.#tell(explained(error).words, true);
    }
  }

  #tell(words, bad = false) {
    this.#told.className = bad ? "fault" : "small soft";
    fill(this.#told, bad && icon("failed"), words);
  }
}
