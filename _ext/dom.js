// The parts of a document that a figure touches while it draws itself, in an engine that has none. `drawStill` gives back
// what it drew as HTML. Nothing here measures or listens: a figure is drawn from its state alone.
const VOID = new Set(["input", "br"]);
const escapes = { "&": "&amp;", "<": "&lt;", '"': "&quot;" };
const escapeHtml = (words) => String(words).replace(/[&<"]/g, (sign) => escapes[sign]);
const unescapeHtml = (words) => words.replaceAll("&lt;", "<").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
const hyphened = (name) => (name.startsWith("--") ? name : name.replace(/[A-Z]/g, (sign) => `-${sign.toLowerCase()}`));
// properties that are attributes under another name
const MIRRORS = { className: "class", tabIndex: "tabindex", id: "id", max: "max", min: "min", hidden: "hidden" };

class Element {
  constructor(localName) {
    Object.assign(this, { localName, attributes: new Map(), childNodes: [], viewBox: { baseVal: { width: 540 } } });
    this.style = new Proxy(
      {},
      { get: (_, key) => this.#styleOf(key), set: (_, key, value) => this.#setStyle(key, value) },
    );
    this.dataset = new Proxy(
      {},
      {
        get: (_, key) => this.getAttribute(`data-${hyphened(key)}`) ?? undefined,
        set: (_, key, value) => !this.setAttribute(`data-${hyphened(key)}`, value),
      },
    );
  }

  #styles = new Map();
  #styleOf(key) {
    if (key === "setProperty") return (name, value) => this.#styles.set(name, value);
    return this.#styles.get(hyphened(key)) ?? "";
  }
  #setStyle(key, value) {
    if (value === "") this.#styles.delete(hyphened(key));
    else this.#styles.set(hyphened(key), value);
    return true;
  }

  setAttribute(name, value) {
    if (name !== "style") {
      this.attributes.set(name, String(value));
      return;
    }
    for (const rule of String(value).split(";")) {
      const [key, words] = rule.split(/:(.*)/s).map((part) => part.trim());
      if (key) this.#styles.set(key, words);
    }
  }
  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }
  hasAttribute(name) {
    return this.attributes.has(name);
  }
  removeAttribute(name) {
    this.attributes.delete(name);
  }
  toggleAttribute(name, on = !this.hasAttribute(name)) {
    on ? this.setAttribute(name, "") : this.removeAttribute(name);
  }

  get classList() {
    const all = () => new Set((this.getAttribute("class") ?? "").split(/\s+/).filter(Boolean));
    const change = (fn) => {
      const names = all();
      fn(names);
      this.setAttribute("class", [...names].join(" "));
    };
    return {
      contains: (name) => all().has(name),
      add: (...more) => change((names) => more.map((name) => names.add(name))),
      remove: (...gone) => change((names) => gone.map((name) => names.delete(name))),
      toggle: (name, on = !all().has(name)) => change((names) => (on ? names.add(name) : names.delete(name))),
    };
  }

  #adopt(nodes) {
    return nodes.map((node) => {
      if (!(node instanceof Element)) return String(node);
      node.remove();
      node.parentElement = this;
      return node;
    });
  }
  append(...nodes) {
    this.childNodes.push(...this.#adopt(nodes));
  }
  prepend(...nodes) {
    this.childNodes.unshift(...this.#adopt(nodes));
  }
  replaceChildren(...nodes) {
    this.childNodes = this.#adopt(nodes);
  }
  remove() {
    const home = this.parentElement;
    if (home) home.childNodes = home.childNodes.filter((node) => node !== this);
    this.parentElement = null;
  }
  get children() {
    return this.childNodes.filter((node) => node instanceof Element);
  }
  get firstChild() {
    return this.childNodes[0] ?? null;
  }
  get firstElementChild() {
    return this.children[0] ?? null;
  }
  get lastElementChild() {
    return this.children.at(-1) ?? null;
  }
  /** By class names alone, as in ".live-token". */
  querySelectorAll(selector) {
    const wanted = selector.split(".").filter(Boolean);
    const fits = (node) => wanted.every((name) => node.classList.contains(name));
    return this.children.flatMap((node) => [...(fits(node) ? [node] : []), ...node.querySelectorAll(selector)]);
  }
  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null;
  }

  get textContent() {
    return this.childNodes.map((node) => node.textContent ?? node).join("");
  }
  set textContent(words) {
    this.replaceChildren(...(words === "" ? [] : [words]));
  }
  get innerHTML() {
    return this.childNodes.map(printed).join("");
  }
  set innerHTML(markup) {
    this.replaceChildren(...parsed(markup));
  }
  get outerHTML() {
    return printed(this);
  }
  get value() {
    return this.getAttribute("value") ?? "";
  }
  set value(value) {
    if (this.localName !== "select") this.setAttribute("value", value);
    else for (const option of this.children) option.toggleAttribute("selected", option.value === String(value));
  }
  get checked() {
    return this.hasAttribute("checked");
  }
  set checked(on) {
    this.toggleAttribute("checked", Boolean(on));
  }
  get disabled() {
    return this.hasAttribute("disabled");
  }
  set disabled(on) {
    this.toggleAttribute("disabled", Boolean(on));
  }

  get styles() {
    return [...this.#styles].map(([key, value]) => `${key}: ${value}`).join("; ");
  }
  addEventListener() {}
  removeEventListener() {}
  focus() {}
  closest() {
    return null;
  }
  getBoundingClientRect() {
    return { left: 0, top: 0, right: 0, bottom: 0, width: 0, height: 0 };
  }
}
for (const [property, attribute] of Object.entries(MIRRORS)) {
  Object.defineProperty(Element.prototype, property, {
    get() {
      return this.getAttribute(attribute) ?? "";
    },
    set(value) {
      if (value === false) this.removeAttribute(attribute);
      else this.setAttribute(attribute, value === true ? "" : value);
    },
  });
}

/** What figures write as text: icons and cells, that is elements with attributes and words. */
function parsed(markup) {
  const root = new Element("root"),
    open = [root];
  const parts = /<(\/?)([\w-]+)((?:\s+[\w:-]+(?:=(?:"[^"]*"|'[^']*'))?)*)\s*(\/?)>|([^<]+)/g;
  for (const [, closing, name, attributes, alone, words] of markup.matchAll(parts)) {
    if (words !== undefined) open.at(-1).append(unescapeHtml(words));
    else if (closing) open.pop();
    else {
      const node = new Element(name);
      for (const [, key, double, single] of attributes.matchAll(/([\w:-]+)(?:="([^"]*)"|='([^']*)')?/g))
        node.setAttribute(key, unescapeHtml(double ?? single ?? ""));
      open.at(-1).append(node);
      if (!alone) open.push(node);
    }
  }
  return root.childNodes;
}

function printed(node) {
  if (!(node instanceof Element)) return escapeHtml(node);
  const all = [...node.attributes, ...(node.styles ? [["style", node.styles]] : [])];
  const start = `<${node.localName}${all.map(([key, value]) => ` ${key}="${escapeHtml(value)}"`).join("")}>`;
  return VOID.has(node.localName) ? start : `${start}${node.innerHTML}</${node.localName}>`;
}

const document = { createElement: (name) => new Element(name), createElementNS: (_, name) => new Element(name) };
const matchMedia = () => ({ matches: true, addEventListener() {} }); // a picture has no motion
const addEventListener = () => {},
  removeEventListener = addEventListener;
const setTimeout = () => 0,
  clearTimeout = () => {};

const SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Bytes in base 64, as a browser reads them. */
function atob(text) {
  const bits = Array.from(text.replace(/=+$/, ""), (sign) => SIGNS.indexOf(sign).toString(2).padStart(6, "0")).join("");
  return (bits.match(/.{8}/g) ?? []).map((byte) => String.fromCharCode(Number.parseInt(byte, 2))).join("");
}

function drawStill(render, state) {
  const model = { get: (name) => state[name], set() {}, save_changes() {}, on() {}, off() {} };
  const el = new Element("div");
  render({ model, el });
  return el.innerHTML;
}
