/** The order beside the images: prompts, options, what it costs, and sending it. */

import { order, Problem } from "./api.js";
import { Cost } from "./cost.js";
import { el, say } from "./dom.js";
import { tryCredits } from "./frame.js";
import { counted, number } from "./format.js";
import { Options } from "./options.js";
import { button, linkButton, stop } from "./parts.js";
import { Presets } from "./presets.js";
import { Prompts } from "./prompts.js";
import { explained } from "./troubles.js";

/** `changed()` after every change of the draft, `sent(receipt)` after the order was accepted. */
export class OrderForm {
  #draft;
  #changed;
  #sent;
  #sending = false;
  #prompts;
  #options;
  #presets;
  #cost = new Cost();
  #send = button("", { look: "primary wide", type: "submit" });

  constructor(draft, changed, sent) {
    this.#draft = draft;
    this.#changed = changed;
    this.#sent = sent;
    const edited = () => this.#edited();
    this.#prompts = new Prompts(draft, edited);
    this.#options = new Options(draft, edited);
    this.#presets = new Presets(draft, this.#prompts, edited);
    this.element = this.#form();
    this.update();
  }

  /** Take what `GET /api/credits` tells. */
  set credits(credits) {
    this.#cost.credits = credits;
    this.update();
  }

  /** Take what `GET /api/models` lists. */
  set models(models) {
    this.#options.models = models;
    this.update();
  }

  /** Take what `GET /api/prompt-presets` lists. */
  set presets(presets) {
    this.#presets.all = presets;
  }

  update() {
    this.#prompts.update();
    this.#options.update();
    this.#showCost();
  }

  #edited() {
    this.#cost.forget();
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
      this.#presets.element,
      this.#prompts.elements,
      this.#options.element,
      el("div", { class: "order-end" }, this.#cost.elements, this.#send),
    );
  }

  #showCost() {
    const images = this.#draft.images.length;
    this.#cost.show(images, this.#options.price);
    say(this.#send, images ? `Optimize ${counted(images, "image")}` : "Choose images first");
    this.#send.setAttribute("aria-disabled", String(!images || this.#cost.missing > 0 || this.#sending));
  }

  async #submit() {
    if (this.#sending || this.#send.getAttribute("aria-disabled") === "true") return;
    if (this.#prompts.complain(this.#draft.faults())) return;
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
    if (!(error instanceof Problem)) this.#cost.tell(stop(title, words));
    else if (error.status === 402) await this.#lookAtCredits(title, words);
    else this.#showErrors(title, words, Object.entries(error.errors));
  }

  /** The API names a prompt as images.0.prompt: here it is a field. What else is wrong stands below. */
  #showErrors(title, words, errors) {
    const faults = new Map();
    const others = [];
    for (const [path, messages] of errors) {
      const [, place, field] = path.match(/^images\.(\d+)\.(\w+)/) ?? [];
      const image = this.#draft.images[place];
      if (field === "prompt" && image) faults.set(this.#draft.oneForAll ? "all" : image.id, messages.join(" "));
      else others.push(`${image?.alt ?? path}: ${messages.join(" ")}`);
    }
    const shown = this.#prompts.complain(faults);
    if (others.length || !shown) this.#cost.tell(stop(title, others.join(" ") || words));
  }

  /** The balance has changed since it was read: by another order, perhaps. */
  async #lookAtCredits(title, words) {
    this.#cost.tell(stop(title, words));
    const credits = await tryCredits();
    if (credits) this.credits = credits;
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
