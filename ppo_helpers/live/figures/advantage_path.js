// Chapter 4: one path to walk. Its rewards, the critic's values to drag, and the advantage of a step as a sum of TD
// errors.
import { legendOf, more, slider, stage, statusLine } from "../parts/controls.js";
import { html, say, show } from "../parts/dom.js";
import { glide, playback, playOnce } from "../parts/playback.js";
import { traits } from "../parts/traits.js";
import { gae, weightsOf } from "../twins/gae.js";
import { isLong, pathPicture } from "./advantage_path_picture.js";
import { sumPicture } from "./advantage_path_sum.js";
import { advantageTerms, numbersTable, subscript, wordsOf } from "./advantage_path_words.js";

const PATH = ["rewards", "values", "last_value", "gamma", "lam"];
const HINT = "Drag a green value up or down, move λ, and see which TD errors make up the advantage.";
const LEGEND = [
  ["live-key-value", "value V of the critic"],
  ["live-key-delta", "TD error δ of a move (pale: below 0)"],
  ["live-key-sum", "advantage Â"],
];

function render({ model, el }) {
  const state = traits(model);
  const play = walkOf(state, draw);
  const opening = glide(state, "lam", { from: 0, by: 0.05, delay: 120, draw });
  const drawing = drawingOf(state, play);
  const [lam, gamma] = sliders(state);
  const status = statusLine(6);
  const table = html("div", {
    class: "live-scroll",
    tabindex: "0",
    role: "region",
    "aria-label": "numbers of the path",
  });
  const body = stage(state, {
    hint: HINT,
    picture: [drawing.node],
    side: [lam.node, gamma.node, play.node, status, legendOf(LEGEND)],
    below: [more("All numbers of this path", table)],
    cls: "live-advantage-path",
  });
  body.addEventListener("pointerover", lightTogether);
  el.append(body);

  function draw() {
    const now = readPath(state);
    drawing.put(now);
    table.replaceChildren(numbersTable(now));
    say(status, wordsOf(now), play.playing() || opening.playing());
  }
  draw();
  state.watch([...PATH, "step"], draw);
  const forget = playOnce(body, opening, opening.rewind);
  return () => {
    state.off();
    forget();
    play.stop();
    opening.cancel();
  };
}

/** The walker's steps; Reset brings the values and both dials back as well. */
function walkOf(state, draw) {
  const steps = state.get("rewards").length;
  const start = Object.fromEntries(["values", "gamma", "lam"].map((name) => [name, state.get(name)]));
  const words = (t) => (t === steps ? "the end" : String(t));
  const reset = () => state.set(start);
  return playback(state, "step", { last: () => steps, delay: 1600, verb: "Walk", label: "step t", words, reset, draw });
}

function sliders(state) {
  const share = { max: 1, step: 0.05, words: (v) => show(v, 2) };
  return [
    slider(state, "lam", { ...share, min: 0, label: "λ: look ahead" }),
    slider(state, "gamma", { ...share, min: 0.5, label: "γ: discount" }),
  ];
}

/** The path, the advantage of the walker's step as a sum in numbers, and the same sum as a bar. */
function drawingOf(state, play) {
  const steps = state.get("rewards").length;
  const path = pathPicture(state.get("rewards"), state.get("last_value"), {
    onvalue: (t, v) => state.set({ values: state.get("values").map((old, i) => (i === t ? v : old)) }),
    onpick(t) {
      play.stop();
      state.set({ step: t });
    },
  });
  const sum = sumPicture(steps);
  const lines = (room) => Math.ceil((8 + 13 * steps) / room); // that the longest sum needs
  const style = `--lines: ${lines(55)}; --narrow-lines: ${lines(34)}`;
  const equation = html("p", { class: "live-equation", style });
  const cls = isLong(steps) ? "live-drawing live-long" : "live-drawing";
  return {
    node: html("div", { class: cls }, path.node, equation, sum.node),
    put(now) {
      path.put(now);
      sum.put(now);
      equation.replaceChildren(...advantageTerms(now));
      const spoken = now.advantages.map((a, t) => `Â${subscript(t)} ${show(a, 2)}`).join(", ");
      path.node.setAttribute("aria-label", `${state.get("alt")} Advantages by step: ${spoken}.`);
    },
  };
}

/** The arrow of a TD error, its piece of the bar and its term of the sum: who points at one sees all three. */
function lightTogether({ target, currentTarget }) {
  const step = target.closest("[data-step]")?.getAttribute("data-step");
  for (const part of currentTarget.querySelectorAll("[data-step]")) {
    part.classList.toggle("live-lit", part.getAttribute("data-step") === step);
  }
}

/** The path as it stands, with all that follows from it. */
function readPath(state) {
  const [rewards, values, lastValue, gamma, lam] = PATH.map((name) => state.get(name));
  const now = state.get("step");
  const weights = weightsOf(rewards.length, now, gamma, lam);
  return { rewards, values, lastValue, gamma, lam, now, weights, ...gae(rewards, values, lastValue, gamma, lam) };
}

export default { render };
