/** Elements from their parts, and lists that keep what stays the same. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element: `el("button", {class: "chip", onclick: act}, "Words", child)`.
 * Attributes that are false, null or undefined are left out, and so are such children.
 */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for what is drawn. */
export function drawn(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (isThere(value)) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter(isThere));
  return element;
}

function isThere(thing) {
  return thing !== false && thing !== null && thing !== undefined;
}

/** Put words into an element, and touch nothing where they are there: readers would hear them again. */
export function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/** Give an element these children instead of its own. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter(isThere));
}

let numbers = 0;

/** An id that no other element has. */
export function freshId(name) {
  numbers += 1;
  return `${name}-${numbers}`;
}

/**
 * The children of an element, one for each thing. `make(thing)` returns `{element, update(thing)}`;
 * what stays in the list keeps its element, and so its picture, its focus and its place.
 */
export class KeyedList {
  #parent;
  #keyOf;
  #make;
  #views = new Map();

  constructor(parent, keyOf, make) {
    this.#parent = parent;
    this.#keyOf = keyOf;
    this.#make = make;
  }

  show(things) {
    const views = new Map(things.map((thing) => [this.#keyOf(thing), this.#viewOf(thing)]));
    for (const [key, view] of this.#views) if (!views.has(key)) view.element.remove();
    [...views.values()].forEach((view, place) => this.#putAt(place, view.element));
    this.#views = views;
  }

  get(key) {
    return this.#views.get(key);
  }

  #viewOf(thing) {
    const view = this.#views.get(this.#keyOf(thing)) ?? this.#make(thing);
    view.update(thing);
    return view;
  }

  #putAt(place, element) {
    const there = this.#parent.children[place];
    if (there !== element) this.#parent.insertBefore(element, there ?? null);
  }
}
