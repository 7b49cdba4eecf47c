/** The order beside the images: prompts, options, what it costs, and sending it. */

import { order, Problem } from "./api.js";
import { el, fill, freshId, KeyedList, say } from "./dom.js";
import { tooLong } from "./draft.js";
import { tryCredits } from "./frame.js";
import { counted, date, number } from "./format.js";
import { icon } from "./icons.js";
import { ASPECT_RATIOS, OUTPUT_FORMATS, SUGGESTIONS } from "./limits.js";
import { button, linkButton, picture, stop } from "./parts.js";
import { explained } from "./troubles.js";

/** `changed()` after every change of the draft, `sent(receipt)` after the order was accepted. */
export class OrderForm {
  #draft;
  #changed;
  #sent;
  #credits = null;
  #sending = false;
  #lastField = null;
  #all = new PromptField("Prompt for all images", "all", (text) => (this.#draft.prompt = text), this);
  #eachList = el("ul", { class: "stack" });
  #each = new KeyedList(this.#eachList, (image) => image.id, (image) => this.#promptOf(image));
  #cost = el("dl", { class: "cost numbers" });
  #told = el("div");
  #send = button("", { look: "primary wide", type: "submit" });

  constructor(draft, changed, sent) {
    this.#draft = draft;
    this.#changed = changed;
    this.#sent = sent;
    this.element = this.#form();
    this.update();
  }

  /** Take what `GET /api/credits` tells. */
  set credits(credits) {
    this.#credits = credits;
    this.update();
  }

  update() {
    const draft = this.#draft;
    this.#all.element.hidden = !draft.oneForAll;
    this.#all.show(draft.prompt);
    this.#eachList.hidden = draft.oneForAll;
    this.#each.show(draft.images);
    this.#showCost();
  }

  /** A field of a prompt was entered or changed. */
  entered(field) {
    this.#lastField = field;
  }

  edited() {
    if (!this.#tellsOfCredits()) fill(this.#told, null);
    this.#changed();
  }

  #form() {
    const submit = (event) => {
      event.preventDefault();
      this.#submit();
    };
    return el(
      "form",
      { class: "card padded stack order", novalidate: true, onsubmit: submit },
      el("h2", { tabindex: -1 }, "Your order"),
      this.#promptChoice(),
      this.#all.element,
      this.#eachList,
      this.#suggestions(),
      this.#options(),
      el("div", { class: "order-end" }, this.#cost, this.#told, this.#send),
    );
  }

  #promptChoice() {
    const name = freshId("prompts");
    const one = (words, oneForAll) =>
      el(
        "label",
        {},
        el("input", { type: "radio", name, checked: this.#draft.oneForAll === oneForAll, onchange: () => this.#choosePrompts(oneForAll) }),
        el("span", {}, words),
      );
    const choice = el("div", { class: "choice" }, one("One for all", true), one("One each", false));
    return el("fieldset", { class: "field" }, el("legend", {}, "Prompts"), choice);
  }

  /** Nobody has to write twice what was written already. */
  #choosePrompts(oneForAll) {
    const draft = this.#draft;
    if (!oneForAll) for (const image of draft.images) draft.prompts[image.id] ||= draft.prompt;
    draft.oneForAll = oneForAll;
    this.#lastField = null;
    this.update();
    this.edited();
  }

  #promptOf(image) {
    const write = (text) => (this.#draft.prompts[image.id] = text);
    const field = new PromptField(`Prompt for “${image.alt}”`, image.id, write, this);
    const shown = picture({ address: image.previewUrl, alt: "", sizes: "4rem" });
    const element = el("li", { class: "each" }, shown, field.element);
    return { element, field, update: () => field.show(this.#draft.prompts[image.id] ?? "") };
  }

  #suggestions() {
    const chips = SUGGESTIONS.map((words) => el("li", {}, el("button", { type: "button", class: "chip", onclick: () => this.#suggest(words) }, words)));
    const id = freshId("suggestions");
    return el("div", { class: "field" }, el("p", { id, class: "label" }, "Suggestions"), el("ul", { class: "chips", "aria-labelledby": id }, chips));
  }

  #suggest(words) {
    const field = this.#draft.oneForAll ? this.#all : (this.#lastField ?? this.#firstEach());
    field?.add(words);
  }

  #firstEach() {
    const [first] = this.#draft.images;
    return first && this.#each.get(first.id).field;
  }

  #options() {
    const id = freshId("ratio");
    const draft = this.#draft;
    const ratio = el(
      "select",
      { id, class: "input", onchange: () => { draft.aspectRatio = ratio.value; this.edited(); } },
      ASPECT_RATIOS.map(([value, words]) => el("option", { value, selected: value === draft.aspectRatio }, words)),
    );
    const name = freshId("format");
    const format = ([value, words]) =>
      el(
        "label",
        {},
        el("input", { type: "radio", name, checked: value === draft.outputFormat, onchange: () => { draft.outputFormat = value; this.edited(); } }),
        el("span", {}, words),
      );
    return el(
      "div",
      { class: "options" },
      el("div", { class: "field" }, el("label", { for: id }, "Shape"), ratio),
      el("fieldset", { class: "field" }, el("legend", {}, "Format"), el("div", { class: "choice" }, OUTPUT_FORMATS.map(format))),
    );
  }

  #showCost() {
    const images = this.#draft.images.length;
    say(this.#send, images ? `Optimize ${counted(images, "image")}` : "Choose images first");
    this.#send.setAttribute("aria-disabled", String(!images || this.#missing() > 0 || this.#sending));
    if (!this.#credits) return;
    const { balance, creditsPerImage } = this.#credits;
    const cost = images * creditsPerImage;
    fill(
      this.#cost,
      line(`${counted(images, "image")} × ${counted(creditsPerImage, "credit")}`, number(cost)),
      line("Your balance", number(balance)),
      line(balance >= cost ? "Left after this" : "Missing", number(Math.abs(balance - cost)), "total"),
    );
    this.#tellOfCredits();
  }

  /** Put there once, not after every key: it is an alert, which readers would hear each time. */
  #tellOfCredits() {
    if (this.#missing() <= 0) {
      if (this.#tellsOfCredits()) fill(this.#told, null);
      return;
    }
    const told = this.#tooFew();
    if (this.#told.textContent !== told.textContent) fill(this.#told, told);
  }

  #tellsOfCredits() {
    return this.#told.querySelector("[data-credits]") !== null;
  }

  #missing() {
    if (!this.#credits) return 0;
    return this.#draft.images.length * this.#credits.creditsPerImage - this.#credits.balance;
  }

  #tooFew() {
    const { balance, creditsPerImage, monthlyAllotment, resetsAt, plan } = this.#credits;
    const affordable = Math.floor(balance / creditsPerImage);
    const now = affordable ? `Choose up to ${counted(affordable, "image")}, or wait` : "Wait";
    const words = `${now} until ${date(resetsAt)}: your plan (${plan}) then fills your balance up to ${number(monthlyAllotment)} credits.`;
    const told = stop("Too few credits", words);
    told.dataset.credits = "";
    return told;
  }

  async #submit() {
    if (this.#sending || this.#send.getAttribute("aria-disabled") === "true") return;
    if (this.#showFaults(this.#draft.faults())) return;
    const body = this.#draft.body();
    const key = this.#draft.keyFor(body);
    // The key is kept before it is used: after a lost answer the page may be loaded again.
    this.#changed();
    this.#sending = true;
    say(this.#send, "Sending …");
    try {
      this.#sent(await order("api/image-optimization", body, key));
    } catch (error) {
      await this.#refused(error);
    } finally {
      this.#sending = false;
      this.#showCost();
    }
  }

  async #refused(error) {
    const { title, words } = explained(error);
    if (!(error instanceof Problem)) fill(this.#told, stop(title, words));
    else if (error.status === 402) await this.#lookAtCredits(title, words);
    else this.#showErrors(title, words, Object.entries(error.errors));
  }

  /** The API names a prompt as images.0.prompt: here it is a field. What else is wrong stands below. */
  #showErrors(title, words, errors) {
    const faults = new Map();
    const others = [];
    for (const [path, messages] of errors) {
      const [, place, field] = path.match(/^images\.(\d+)\.(\w+)$/) ?? [];
      const image = this.#draft.images[place];
      if (field === "prompt" && image) faults.set(this.#draft.oneForAll ? "all" : image.id, messages.join(" "));
      else others.push(`${image?.alt ?? path}: ${messages.join(" ")}`);
    }
    const shown = this.#showFaults(faults);
    if (others.length || !shown) fill(this.#told, stop(title, others.join(" ") || words));
  }

  /** The balance has changed since it was read: by another order, perhaps. */
  async #lookAtCredits(title, words) {
    fill(this.#told, stop(title, words));
    const credits = await tryCredits();
    if (credits) this.credits = credits;
  }

  /** Show the faults at their fields and go to the first; returns whether there are any. */
  #showFaults(faults) {
    const fields = [this.#all, ...this.#draft.images.map((image) => this.#each.get(image.id).field)];
    const wrong = fields.filter((field) => field.complain(faults.get(field.name)));
    wrong[0]?.focus();
    return wrong.length > 0;
  }
}

/** What is shown in the place of the order once it was accepted. */
export function receipt({ job, creditsUsed, creditsRemaining }, again) {
  return el(
    "section",
    { class: "card padded stack order" },
    el("h2", { tabindex: -1 }, `Job ${job.id} is on its way`),
    stop(`${counted(job.totalImages, "image")} of ${job.productName}`, `${counted(creditsUsed, "credit")} charged, ${number(creditsRemaining)} left. You may close this page: it goes on without you.`, { good: true, role: null }),
    linkButton("Watch the progress", `ongoing#job=${job.id}`, { look: "primary wide", sign: "ongoing" }),
    button("Optimize more images", { look: "wide", onclick: again }),
  );
}

function line(words, value, look = "") {
  return el("div", { class: look }, el("dt", {}, words), el("dd", {}, value));
}

/** A field for a prompt, with what is wrong with it. */
class PromptField {
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

  show(text) {
    if (this.#field.value !== text) this.#field.value = text;
  }

  /** Put a suggestion behind what stands there. */
  add(words) {
    const text = this.#field.value.trim().replace(/[,.;]+$/, "");
    this.#field.value = text ? `${text}, ${words[0].toLowerCase()}${words.slice(1)}` : words;
    this.#edited();
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
