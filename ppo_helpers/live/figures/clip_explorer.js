// Chapter 6: the clipped objective for both signs of the advantage on one ratio, over the ratios of a real batch.
import { button, legendOf, slider, stage, statusLine } from "../parts/controls.js";
import { html, say, show } from "../parts/dom.js";
import { glide, playOnce } from "../parts/playback.js";
import { traits } from "../parts/traits.js";
import { isFlat } from "../twins/surrogate.js";
import { clipPanel } from "./clip_explorer_panel.js";
import { batchSentence, caseWords, LEGEND, productsTable, sentence } from "./clip_explorer_words.js";

const HINT = "Drag a point along its curve: the arrow is the gradient. Find the two places where it dies.";
const CASES = [0.5, 1, 1.5];
const TRAITS = ["ratio", "advantage", "clip_eps", "plain"];

function render({ model, el }) {
  const state = traits(model);
  const opening = glide(state, "ratio", { from: 0.4, by: 0.02, delay: 50, draw });
  const panels = panelsOf(state);
  const batch = html("p", { class: "live-note live-batch" });
  const chips = caseChips(state);
  const status = statusLine(2);
  const table = html("div");
  const buttons = buttonsOf(state);
  const width = { min: 0.05, max: 0.9, step: 0.01, words: (v) => show(v, 2) };
  const eps = slider(state, "clip_eps", { label: "ε: half width of the band", ...width });
  const size = slider(state, "advantage", { label: "size of the advantage", min: 0.1, max: 3, step: 0.1 });
  const body = stage(state, {
    hint: HINT,
    picture: [panels.node, batch, chips.node, status],
    side: [table, eps.node, size.node, buttons.node, legendOf(LEGEND)],
    cls: "live-clip-explorer",
  });
  el.append(body);

  function draw() {
    const now = readSample(state);
    for (const part of [panels, chips, buttons]) part.put(now);
    table.replaceChildren(productsTable(now));
    batch.textContent = batchSentence(state.get("batch"), now.eps);
    say(status, sentence(now), opening.playing());
  }
  draw();
  state.watch(TRAITS, draw);
  const forget = playOnce(body, opening, opening.rewind);
  return () => {
    state.off();
    forget();
    opening.cancel();
  };
}

/** A panel for each sign of the advantage, on one ratio and one band. */
function panelsOf(state) {
  const samples = (sign) => state.get("batch").filter(([, way]) => way === sign);
  const panel = (sign) =>
    clipPanel(
      sign,
      samples(sign).map(([ratio]) => ratio),
      (ratio) => state.set({ ratio }),
    );
  const panels = [1, -1].map(panel);
  const attrs = { class: "live-pair", role: "group", "aria-label": state.get("alt") };
  return {
    node: html("div", attrs, ...panels.map(({ node }) => node)),
    put(now) {
      for (const { put } of panels) put(now);
    },
  };
}

function buttonsOf(state) {
  const start = Object.fromEntries(TRAITS.map((name) => [name, state.get(name)]));
  const plain = button("Plain clip, without the min", () => state.set({ plain: !state.get("plain") }));
  const reset = button("Reset", () => state.set(start));
  return {
    node: html("div", { class: "live-buttons" }, plain, reset),
    put: (now) => plain.setAttribute("aria-pressed", now.plain),
  };
}

/** The sample as it stands. A ratio that stands on an edge is the edge itself, however 1 + 0.9 is rounded. */
function readSample(state) {
  const [ratio, size, eps, plain] = TRAITS.map((name) => state.get(name));
  const edge = [1 - eps, 1 + eps].find((v) => Math.abs(v - ratio) < 1e-9);
  return { r: edge ?? ratio, size, eps, plain };
}

/** Three ratios, two signs: the six cases. */
function caseChips(state) {
  const chips = CASES.map((ratio) => button("", () => state.set({ ratio }), { class: "live-button live-chip" }));
  return {
    node: html("div", { class: "live-chips", role: "group", "aria-label": "the six cases" }, ...chips),
    put({ r, eps }) {
      chips.forEach((chip, i) => {
        const lines = [1, -1].map((sign) => html("small", {}, caseWords(sign, isFlat(CASES[i], sign, eps))));
        chip.replaceChildren(html("span", {}, `ρ = ${CASES[i]}`), ...lines);
        chip.setAttribute("aria-pressed", Math.abs(r - CASES[i]) < 1e-9);
      });
    },
  };
}

export default { render };
