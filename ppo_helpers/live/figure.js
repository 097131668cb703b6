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

/** A labelled range input bound to the model's trait; `from`/`to` translate between trait and slider position. */
function slider(model, name, { label, min, max, step, words = show, from = Number, to = Number }) {
  // the data attribute keeps JupyterLab from taking the arrow keys for its own shortcuts
  const input = html("input", { type: "range", min, max, step, "data-lm-suppress-shortcuts": "true" });
  const value = html("span", { "aria-hidden": "true" }); // the input itself says its value
  const update = () => {
    input.value = from(model.get(name));
    value.textContent = words(model.get(name));
    input.setAttribute("aria-valuetext", value.textContent);
  };
  input.addEventListener("input", () => { model.set(name, to(input.value)); model.save_changes(); });
  const off = listen(model, [name], update);
  update();
  return { node: html("label", { class: "live-control" }, html("span", {}, label), input, value), off };
}

const button = (words, onclick, attrs = {}) => html("button", { type: "button", class: "live-button", onclick, ...attrs }, words);

/** Call `fn` when one of the traits changes; returns what undoes it. */
function listen(model, names, fn) {
  for (const name of names) model.on(`change:${name}`, fn);
  return () => names.forEach((name) => model.off(`change:${name}`, fn));
}

/** A clock that calls `tick` until it returns false; slower for readers who prefer less motion. */
function player(tick, delay, onchange) {
  let timer = null;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const stop = () => { clearTimeout(timer); timer = null; onchange(false); };
  const next = () => { if (tick()) timer = setTimeout(next, calm ? 2 * delay : delay); else stop(); };
  return { stop, toggle: () => { if (timer) stop(); else { onchange(true); next(); } } };
}
