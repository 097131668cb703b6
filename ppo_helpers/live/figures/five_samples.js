// Chapters 6 and 9: a few samples, their minima, their loss, and who pushes.
import { button, slider, stage } from "../parts/controls.js";
import { html, say, show } from "../parts/dom.js";
import { traits } from "../parts/traits.js";
import { rowOf } from "./five_samples_row.js";
import { stepped, total } from "./five_samples_words.js";

const HINT = "Drag a ratio or an advantage. Which samples push, and which do not?";

function render({ model, el }) {
  const state = traits(model);
  const list = (name) => state.get(name);
  const ends = state.get("ends");
  const changed = (name, i, value) => state.set({ [name]: list(name).map((v, k) => (k === i ? value : v)) });
  const rows = state.get("names").map((name, i) => rowOf(name, ends, (what, value) => changed(what, i, value)));
  const numbers = () => ["ratios", "advantages", "clip_eps"].map(state.get);
  const sum = html("p", { class: "live-status", role: "status" });
  const eps = slider(state, "clip_eps", { label: "ε", min: 0.05, max: 0.9, step: 0.05, words: (v) => show(v, 2) });
  const buttons = html(
    "div",
    { class: "live-buttons" },
    button("One step", () => state.set({ ratios: stepped(...numbers(), ends[0]) })),
    button("Reset", () => state.set(state.get("first"))),
  );
  function draw() {
    const [ratios, advantages, e] = numbers();
    rows.forEach((row, i) => {
      row.put(ratios[i], advantages[i], e, ratios.length);
    });
    say(sum, total(ratios, advantages, e));
  }
  const heads = html("div", { class: "live-five-row live-five-heads", "aria-hidden": "true" }, ...headings(ends));
  const table = html("div", { class: "live-five" }, heads, ...rows.map(({ node }) => node));
  const side = html("div", { class: "live-five-side" }, sum, eps.node, buttons);
  el.append(stage(state, { hint: HINT, picture: [table], side: [side], cls: "live-five-body" }));
  draw();
  state.watch(["ratios", "advantages", "clip_eps"], draw);
  return state.off;
}

const headings = ([end, size]) =>
  ["", `ratio ρ, 0 to ${end}`, `advantage A, −${size} to ${size}`, "the smaller of ρA and clip(ρ)A", "push"].map(
    (words) => html("span", {}, words),
  );

export default { render };
