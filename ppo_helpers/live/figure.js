// What all figures share. base.py puts this text in front of every figure's own file.
function html(name, attrs = {}, ...kids) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attrs)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value);
  }
  node.append(...kids);
  return node;
}

const minus = (text) => String(text).replace("-", "−");
/** A number for people: at most `digits` decimals, a real minus sign, ∞ in words of one sign. */
function show(value, digits = 1) {
  if (Math.abs(value) === Infinity) return value < 0 ? "−∞" : "∞";
  return minus(+value.toFixed(digits) || 0);
}

/** Words for screen readers alone. */
const unseen = (words) => html("span", { class: "live-hidden" }, words);

/** Put words into a live region: those of the last view are not said twice, and while something plays nothing is said. */
function say(node, words, quiet = false) {
  node.setAttribute("aria-live", quiet ? "off" : "polite");
  if (node.textContent !== words) node.textContent = words;
}

/** A labelled range input bound to the model's trait; `from`/`to` translate between trait and slider position.
 *  `max` is a number, or a function if it changes; call `update` when it has. */
function slider(model, name, { label, min, max, step, words = show, from = Number, to = Number }) {
  // the data attribute keeps JupyterLab from taking the arrow keys for its own shortcuts
  const input = html("input", { type: "range", min, step, "data-lm-suppress-shortcuts": "true" });
  const value = html("span", { "aria-hidden": "true" }); // the input itself says its value
  const update = () => {
    input.max = typeof max === "function" ? max() : max;
    input.value = from(model.get(name));
    value.textContent = words(model.get(name));
    input.setAttribute("aria-valuetext", value.textContent);
  };
  input.addEventListener("input", () => { model.set(name, to(input.value)); model.save_changes(); });
  const off = listen(model, [name], update);
  if (typeof max !== "function") update();
  return { node: html("label", { class: "live-control" }, html("span", {}, label), input, value), off, update };
}

const button = (words, onclick, attrs = {}) => html("button", { type: "button", class: "live-button", onclick, ...attrs }, words);

/** Call `fn` when one of the traits changes; returns what undoes it. */
function listen(model, names, fn) {
  for (const name of names) model.on(`change:${name}`, fn);
  return () => names.forEach((name) => model.off(`change:${name}`, fn));
}

/** A clock that calls `tick` until it returns false; slower for readers who prefer less motion.
 *  `delay` is in milliseconds, or a function that says so before each tick. */
function player(tick, delay, onchange) {
  let timer = null;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const stop = () => { clearTimeout(timer); timer = null; onchange(false); };
  const wait = () => (calm ? 2 : 1) * (typeof delay === "function" ? delay() : delay);
  const next = () => { if (tick()) timer = setTimeout(next, wait()); else stop(); };
  return { stop, toggle: () => { if (timer) stop(); else { onchange(true); next(); } } };
}
