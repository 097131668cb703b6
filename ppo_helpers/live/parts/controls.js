// What is pressed, slid and chosen, and the frame in which a figure puts it: the picture, and beside it its controls.
import { html, show } from "./dom.js";

// JupyterLab takes arrow keys for its own shortcuts unless the control says otherwise. And a browser that comes back to
// a page would put in what it remembers of a control, of which the figure knows nothing.
export const KEYS = { "data-lm-suppress-shortcuts": "true", autocomplete: "off" };

/** A labelled range input bound to a trait; `from`/`to` translate between trait and slider position. `max` is a number,
 *  or a function if it changes; call `update` when it has. */
export function slider(state, name, { label, min, max, step, words = show, from = Number, to = Number }) {
  const input = html("input", { type: "range", min, step, ...KEYS });
  const value = html("span", { "aria-hidden": "true", class: "live-reading" }); // the input itself says its value
  const update = () => {
    input.max = typeof max === "function" ? max() : max;
    input.value = from(state.get(name));
    value.textContent = words(state.get(name));
    input.setAttribute("aria-valuetext", value.textContent);
  };
  input.addEventListener("input", () => state.set({ [name]: to(input.value) }));
  state.watch([name], update);
  update();
  return { node: html("label", { class: "live-control" }, html("span", {}, label), value, input), update };
}

export const button = (words, onclick, attrs = {}) =>
  html("button", { type: "button", class: "live-button", onclick, ...attrs }, words);

/** A labelled list to choose from; `options` are pairs of a value and its words. */
export function choice(label, options, onchange) {
  const pick = html("select", { ...KEYS, onchange: (event) => onchange(event.target.value) });
  pick.append(...options.map(([value, words]) => html("option", { value }, words)));
  return { node: html("label", { class: "live-control live-choice" }, html("span", {}, label), pick), pick };
}

/** A text of the reader's own: `onstart` gets it when it is sent off. */
export function ownText(label, onstart) {
  const input = html("input", { type: "text", maxlength: 20000, ...KEYS });
  const start = button("Start", () => {}, { type: "submit" });
  const node = html(
    "form",
    { class: "live-control live-own-text" },
    html("label", {}, html("span", {}, label), input),
    start,
  );
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    onstart(input.value);
  });
  return { node, input, start };
}

/** Terms and numbers, side by side; `put` takes pairs. A term may be a node. */
export function facts() {
  const node = html("dl", { class: "live-numbers" });
  const pair = ([term, value]) => html("div", {}, html("dt", {}, term), html("dd", {}, value));
  return { node, put: (pairs) => node.replaceChildren(...pairs.map(pair)) };
}

/** What the colours stand for: pairs of a key's class and its words. */
export const legendOf = (pairs) =>
  html("p", { class: "live-legend" }, ...pairs.map(([cls, words]) => legendItem(cls, words)));

const legendItem = (cls, words) =>
  html("span", { class: "live-item" }, html("span", { class: `live-key ${cls}` }), words);

/** The sentence that says what is seen; `lines` is the room it is given beside the picture, so that nothing jumps. */
export const statusLine = (lines = 2) =>
  html("p", { class: "live-status", role: "status", style: `--lines: ${lines}` });

/** What a newcomer need not see at first. */
export const more = (words, ...kids) => html("details", { class: "live-more" }, html("summary", {}, words), ...kids);

/** A figure: one line that says what to do, the picture, at its right (below it where there is no room) the
 *  controls. */
export function stage(state, { hint, picture, side, below = [], cls = "" }) {
  const parts = html("div", { class: "live-stage" }, html("div", { class: "live-picture" }, ...picture));
  parts.append(html("div", { class: "live-side" }, ...side));
  // the page sets the caption itself, with its number
  const caption = html("p", { class: "live-own-caption" }, state.get("caption"));
  return html("div", { class: `live-body ${cls}` }, html("p", { class: "live-hint" }, hint), parts, ...below, caption);
}
