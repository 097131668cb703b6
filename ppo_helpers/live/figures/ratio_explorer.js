// Chapter 5: four moves in one state. Push their probabilities, or let the gradient do it, and see the ratio of the one
// taken.
import { button, facts, KEYS, legendOf, more, slider, stage, statusLine } from "../parts/controls.js";
import { html, say } from "../parts/dom.js";
import { player, playOnce } from "../parts/playback.js";
import { traits } from "../parts/traits.js";
import {
  climbed,
  policyGradient,
  probabilityRatio,
  softmax,
  surrogateGradient,
  withProbability,
} from "../twins/surrogate.js";
import { barsPicture, logitsPicture, ratioGauge } from "./ratio_explorer_picture.js";
import { ACTIONS, gradientTable, legend, readings, sentence } from "./ratio_explorer_words.js";

const LIMIT = 6; // logits stay within ± 6, as in ratio_explorer.py
const RATE = 0.25; // of the gradient, in one step
const HINT = "Drag the bars, or let the gradient push them, and watch the ratio of the move that was taken.";

function render({ model, el }) {
  const state = traits(model);
  const climb = climber(state, draw);
  const change = (changes) => {
    climb.stop();
    state.set({ ...changes, steps: 0 });
  };
  const drawing = drawingOf(state, change);
  const advantage = slider(state, "advantage", { label: "advantage A of the move", min: -3, max: 3, step: 0.1 });
  const numbers = facts();
  const status = statusLine(5);
  const table = html("div", { class: "live-scroll", tabindex: "0", role: "region", "aria-label": "gradients" });
  const body = stage(state, {
    hint: HINT,
    picture: drawing.nodes,
    side: [buttonsOf(state, climb, change), advantage.node, numbers.node, status, legendOf(legend())],
    below: [more("The gradient in numbers", table)],
    cls: "live-ratio-explorer",
  });
  el.append(body);

  function draw() {
    const now = readMove(state);
    drawing.put(now);
    numbers.put(readings(now));
    table.replaceChildren(gradientTable(now));
    say(status, sentence(now), climb.playing());
  }
  draw();
  state.watch(["logits", "action", "advantage", "steps"], draw);
  state.watch(["advantage"], () => change({}));
  const made = state.get("steps");
  const forget = made ? playOnce(body, { ...climb, start: () => climb.by(made) }, climb.rewind) : () => {};
  return () => {
    state.off();
    forget();
    climb.stop();
  };
}

function buttonsOf(state, climb, change) {
  const one = button("One step", () => climb.by(1));
  const ten = button("Ten steps", () => climb.by(10));
  const reset = button("Reset", () => change({ logits: state.get("old_logits") }));
  return html("div", { class: "live-buttons" }, one, ten, reset);
}

/** Gauge, bars, buttons for the move that was taken, logits: one below the other. */
function drawingOf(state, change) {
  const gauge = ratioGauge();
  const bars = barsPicture((j, p) => change({ logits: withProbability(state.get("logits"), j, p, LIMIT) }));
  const logits = logitsPicture(LIMIT);
  const taken = takenMove((action) => change({ action }));
  const parts = [gauge, bars, taken, logits];
  return {
    nodes: parts.map((part) => part.node),
    put(now) {
      for (const part of parts) part.put(now);
      bars.node.setAttribute("aria-label", `${state.get("alt")} ${sentence(now)}`);
    },
  };
}

/** The move that was taken, before and now, with its gradients. */
function readMove(state) {
  const [logits, oldLogits, action, advantage, steps] = ["logits", "old_logits", "action", "advantage", "steps"].map(
    (name) => state.get(name),
  );
  const gradient = surrogateGradient(logits, oldLogits, action, advantage);
  return {
    ...{ logits, oldLogits, action, advantage, steps, gradient },
    before: softmax(oldLogits),
    now: softmax(logits),
    ratio: probabilityRatio(logits, oldLogits, action),
    plain: policyGradient(logits, action, advantage),
    next: climbed(logits, oldLogits, action, advantage, RATE, LIMIT),
  };
}

/** Steps up the gradient of ratio · A, one after the other. */
function climber(state, draw) {
  let left = 0;
  const step = () => {
    state.set({ logits: readMove(state).next, steps: state.get("steps") + 1 });
    left -= 1;
    return left > 0;
  };
  const clock = player(step, 450, draw);
  const by = (count) => {
    left = (clock.playing() ? left : 0) + count;
    clock.start();
  };
  const rewind = () => state.set({ logits: state.get("old_logits"), steps: 0 });
  return { by, rewind, stop: clock.stop, playing: clock.playing };
}

/** One button for each move, under its bar. */
function takenMove(onpick) {
  const keys = {
    type: "radio",
    name: `taken-${Math.random().toString(36).slice(2)}`,
    ...KEYS,
  };
  const radios = ACTIONS.map((_, j) => html("input", { ...keys, onchange: () => onpick(j) }));
  const labels = ACTIONS.map(([arrow, name], j) =>
    html("label", { class: "live-tool" }, radios[j], html("span", { "aria-hidden": "true" }, arrow), name),
  );
  const title = html("legend", {}, "the move that was taken:");
  return {
    node: html("fieldset", { class: "live-taken" }, title, ...labels),
    put({ action }) {
      radios.forEach((radio, j) => {
        radio.checked = j === action;
      });
    },
  };
}

export default { render };
