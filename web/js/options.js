/** What may be chosen for all images of an order: model, shape, file, references. */

import { el, fill, freshId, say } from "./dom.js";
import { counted } from "./format.js";
import { ASPECT_RATIOS, OUTPUT_FORMATS, QUALITIES } from "./limits.js";
import { References } from "./references.js";

const RATIO_NAMES = new Map(ASPECT_RATIOS);
const MATCH = ASPECT_RATIOS[0][0];

/** `edited()` after every change of the draft. */
export class Options {
  #draft;
  #edited;
  #models = [];
  #model = new Select("Model", (name) => this.#chooseModel(name));
  #resolution = new Select("Resolution", (name) => this.#set({ resolution: name }));
  #ratio = new Select("Shape", (ratio) => this.#set({ aspectRatio: ratio }), "");
  #quality = new Select("Quality", (quality) => this.#set({ quality: quality && Number(quality) }));
  #formats = [];
  #references;
  #words = el("span", { class: "small soft clip" });

  constructor(draft, edited) {
    this.#draft = draft;
    this.#edited = edited;
    this.#references = new References(draft, edited);
    this.element = el(
      "details",
      { class: "options" },
      el("summary", {}, el("span", { class: "label" }, "Options"), this.#words),
      el(
        "div",
        { class: "option-fields" },
        this.#model.element,
        this.#resolution.element,
        this.#ratio.element,
        this.#format(),
        this.#quality.element,
        this.#references.element,
      ),
    );
  }

  /** Take what `GET /api/models` lists: what it does not know any more is not ordered. */
  set models(models) {
    this.#models = models;
    this.#fit();
  }

  /** The credits of an image; null while nobody knows. */
  get price() {
    const model = this.#chosen;
    const price = model?.prices.find(({ resolution = "" }) => resolution === this.#draft.resolution);
    return (price ?? model?.prices[0])?.credits ?? null;
  }

  update() {
    const draft = this.#draft;
    const model = this.#chosen;
    this.#model.show(this.#models.map((each) => [each.model, `${nameOf(each.model)}, ${priceOf(each)}`]), model?.model ?? "");
    const prices = (model?.prices ?? []).filter(({ resolution }) => resolution);
    this.#resolution.show(prices.map(({ resolution, credits }) => [resolution, `${resolution}, ${counted(credits, "credit")}`]), draft.resolution || prices[0]?.resolution);
    this.#ratio.show((model?.aspectRatios ?? [...RATIO_NAMES.keys()]).map((ratio) => [ratio, RATIO_NAMES.get(ratio) ?? ratio]), draft.aspectRatio);
    for (const box of this.#formats) box.checked = box.value === draft.outputFormat;
    this.#quality.show(draft.outputFormat === "jpg" ? qualities(draft.quality) : [], String(draft.quality));
    this.#references.update();
    say(this.#words, this.#told(model).join(", "));
  }

  get #chosen() {
    return this.#models.find(({ model }) => model === this.#draft.model) ?? this.#models[0];
  }

  #told(model) {
    const { resolution, aspectRatio, outputFormat, quality, references } = this.#draft;
    return [
      model && nameOf(model.model),
      resolution || model?.prices[0].resolution,
      RATIO_NAMES.get(aspectRatio)?.toLowerCase(),
      outputFormat.toUpperCase() + (outputFormat === "jpg" && quality ? ` ${quality}` : ""),
      references.length && counted(references.length, "reference"),
    ].filter(Boolean);
  }

  #format() {
    const name = freshId("format");
    const one = ([value, words]) => {
      const box = el("input", { type: "radio", name, value, onchange: () => this.#set({ outputFormat: value }) });
      this.#formats.push(box);
      return el("label", {}, box, el("span", {}, words));
    };
    return el("fieldset", { class: "field" }, el("legend", {}, "Format"), el("div", { class: "choice" }, OUTPUT_FORMATS.map(one)));
  }

  #chooseModel(name) {
    Object.assign(this.#draft, { model: name, resolution: "" });
    this.#fit();
    this.#set({});
  }

  /** What the chosen model does not take is chosen anew. */
  #fit() {
    const model = this.#chosen;
    if (!model) return;
    const draft = this.#draft;
    if (draft.model !== model.model) Object.assign(draft, { model: "", resolution: "" });
    if (!model.prices.some(({ resolution }) => resolution === draft.resolution)) draft.resolution = "";
    if (!model.aspectRatios.includes(draft.aspectRatio)) draft.aspectRatio = MATCH;
  }

  #set(chosen) {
    Object.assign(this.#draft, chosen);
    this.update();
    this.#edited();
  }
}

/** A choice of one; without anything to choose from it is not there. */
class Select {
  #shown = "";
  #field;

  constructor(label, choose, look = "whole") {
    const id = freshId("option");
    this.#field = el("select", { id, class: "input", onchange: () => choose(this.#field.value) });
    this.element = el("div", { class: `field ${look}` }, el("label", { for: id }, label), this.#field);
  }

  show(choices, value) {
    this.element.hidden = choices.length === 0;
    const text = JSON.stringify(choices);
    if (text !== this.#shown) fill(this.#field, choices.map(([key, words]) => el("option", { value: key }, words)));
    this.#shown = text;
    if (this.#field.value !== value) this.#field.value = value;
  }
}

/** "google/nano-banana-pro" → "Nano Banana Pro". */
function nameOf(model) {
  const words = model.split("/").pop().split("-");
  return words.map((word) => word[0].toUpperCase() + word.slice(1)).join(" ");
}

function priceOf({ prices }) {
  const least = Math.min(...prices.map(({ credits }) => credits));
  return `${prices.length > 1 ? "from " : ""}${counted(least, "credit")}`;
}

/** A preset may hold a quality that is not one of the usual ones. */
function qualities(chosen) {
  const usual = QUALITIES.some(([value]) => value === String(chosen));
  return usual ? QUALITIES : [...QUALITIES, [String(chosen), String(chosen)]];
}
