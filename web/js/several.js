/** Several products at once: all of their images, with one prompt, as one batch. */

import { order, read } from "./api.js";
import { Cost } from "./cost.js";
import { el, say } from "./dom.js";
import { Draft } from "./draft.js";
import { tryCredits } from "./frame.js";
import { counted, number } from "./format.js";
import { MOST_IMAGES, MOST_JOBS, SUGGESTIONS } from "./limits.js";
import { Options } from "./options.js";
import { button, linkButton, stop } from "./parts.js";
import { PromptField } from "./prompts.js";
import { explained } from "./troubles.js";

/** `changed()` when other products are chosen, `sent(receipt)` after the batch was accepted. */
export class Several {
  #changed;
  #sent;
  #sending = false;
  #chosen = new Map();
  #reading = Promise.resolve();
  #draft = new Draft({ id: "several", name: "Several products" });
  #edited = () => {
    this.#cost.forget();
    this.#show();
  };
  #prompt = new PromptField("Prompt for all images", "all", (text) => (this.#draft.prompt = text), { entered() {}, edited: this.#edited });
  #options = new Options(this.#draft, this.#edited);
  #cost = new Cost();
  #words = el("p", { class: "small soft", role: "status" });
  #send = button("", { look: "primary wide", type: "submit" });

  constructor(changed, sent) {
    this.#changed = changed;
    this.#sent = sent;
    this.element = this.#form();
    this.#show();
  }

  /** How many images the chosen products have; of one that is still being read, as its card says. */
  get images() {
    return [...this.#chosen.values()].reduce((sum, { product, images }) => sum + (images?.length ?? product.totalImages), 0);
  }

  get isEmpty() {
    return this.#chosen.size === 0;
  }

  has(product) {
    return this.#chosen.has(product.id);
  }

  /** Choose a product or leave it out; false where there are a hundred already. */
  choose(product, wanted) {
    if (wanted && this.#chosen.size >= MOST_JOBS) {
      this.#cost.tell(stop("This is all that fits", `Choose up to ${MOST_JOBS} products at once.`));
      return false;
    }
    if (wanted) this.#take(product);
    else this.#chosen.delete(product.id);
    this.#edited();
    this.#changed();
    return true;
  }

  /** Ask once what there is to choose from, and what it costs. */
  async open() {
    const credits = await tryCredits();
    if (credits) this.#cost.credits = credits;
    try {
      this.#options.models = (await read("api/models")).models;
    } catch (error) {
      // Without them every image gets the first model, and the API tells its price.
      explained(error);
    }
    this.#show();
  }

  /** One after the other: a shop is not asked for a hundred of its products at a time. */
  #take(product) {
    const entry = { product, images: null };
    this.#chosen.set(product.id, entry);
    this.#reading = this.#reading.then(async () => {
      try {
        await readImages(entry);
      } catch (error) {
        // It is read again when the batch is sent, and told then.
        explained(error);
      }
      this.#show();
    });
  }

  #form() {
    const submit = (event) => {
      event.preventDefault();
      this.#submit();
    };
    const chip = (words) => el("li", {}, el("button", { type: "button", class: "chip", onclick: () => this.#prompt.add(words) }, words));
    const chips = el("ul", { class: "chips", "aria-label": "Suggestions" }, SUGGESTIONS.map(chip));
    return el(
      "form",
      { class: "card padded stack order", novalidate: true, onsubmit: submit },
      el("div", {}, el("h2", { tabindex: -1 }, "Several products"), this.#words),
      this.#prompt.element,
      chips,
      this.#options.element,
      el("div", { class: "order-end" }, this.#cost.elements, this.#send),
    );
  }

  #show() {
    const images = this.images;
    say(this.#words, `All ${counted(images, "image")} of ${counted(this.#chosen.size, "product")}, as one batch.`);
    this.#options.update();
    this.#cost.show(images, this.#options.price);
    if (!this.#sending) say(this.#send, images ? `Optimize ${counted(images, "image")}` : "Choose products first");
    this.#send.setAttribute("aria-disabled", String(!images || this.#cost.missing > 0 || this.#sending));
  }

  async #submit() {
    if (this.#sending || this.#send.getAttribute("aria-disabled") === "true") return;
    if (this.#prompt.complain(this.#draft.faults().get("all"))) return this.#prompt.focus();
    this.#sending = true;
    say(this.#send, "Sending …");
    try {
      await this.#order();
    } catch (error) {
      const { title, words } = explained(error);
      this.#cost.tell(stop(title, words));
    } finally {
      this.#sending = false;
      this.#show();
    }
  }

  async #order() {
    const seen = this.images;
    for (const entry of this.#chosen.values()) await readImages(entry);
    // What somebody agreed to pay is what was shown to them.
    if (this.images !== seen) return this.#cost.tell(stop("There are other images than before", "Look at the cost again, then send it."));
    const jobs = [...this.#chosen.values()].flatMap((entry) => this.#jobsOf(entry));
    if (jobs.length > MOST_JOBS) return this.#cost.tell(stop("This is more than fits", `A job holds ${MOST_IMAGES} images, and a batch ${MOST_JOBS} jobs: these would be ${number(jobs.length)}. Leave some products out.`));
    const body = { jobs };
    this.#sent(await order("api/image-optimization/batch", body, this.#draft.keyFor(body)));
    this.#chosen.clear();
    this.#changed();
  }

  /** A product with more images than a job holds gets several jobs. */
  #jobsOf({ product, images }) {
    const draft = new Draft(product, { ...this.#draft, productId: product.id, productName: product.name });
    const starts = Array.from({ length: Math.ceil(images.length / MOST_IMAGES) }, (_, n) => n * MOST_IMAGES);
    return starts.map((start) => {
      draft.images = images.slice(start, start + MOST_IMAGES);
      return draft.body();
    });
  }
}

/** What is shown in the place of the batch once it was accepted. */
export function batchReceipt({ batch, creditsUsed, creditsRemaining }, again) {
  return el(
    "section",
    { class: "card padded stack order" },
    el("h2", { tabindex: -1 }, `Batch ${batch.id} is on its way`),
    stop(`${counted(batch.totalImages, "image")} in ${counted(batch.totalJobs, "job")}`, `${counted(creditsUsed, "credit")} charged, ${number(creditsRemaining)} left. You may close this page: it goes on without you.`, { good: true, role: null }),
    linkButton("Watch the progress", `ongoing#batch=${batch.id}`, { look: "primary wide", sign: "ongoing" }),
    button("Optimize more images", { look: "wide", onclick: again }),
  );
}

async function readImages(entry) {
  entry.images ??= (await read(`api/products/${encodeURIComponent(entry.product.id)}`)).images;
}
