// The replay's picture: reward and gold score of one run with its turn, and texts whose tokens are coloured by what
// they earn.
import { curvePlot } from "../parts/charts.js";
import { legendOf } from "../parts/controls.js";
import { html, show, svg } from "../parts/dom.js";
import { response } from "../parts/earnings.js";

const BOX = { left: 46, right: 16, top: 17, bottom: 46 }; // room for a phone's larger words
const SIZE = { width: 280, height: 173, box: BOX };

/** Reward and gold score of the run number `b`, on one scale for all runs; a flag where it turns. */
export function runCurves(state, b, onscrub) {
  const all = state.get("curves").flatMap(({ reward, gold }) => [...reward, ...gold]);
  const y = [Math.min(-0.3, ...all) - 0.1, Math.max(1, ...all) + 0.1];
  const { reward, gold } = state.get("curves")[b];
  const label = `reward and gold score at β = ${show(state.get("betas")[b], 3)}, by iteration`;
  const look = { xlabel: "iteration", ylabel: "", ...SIZE };
  const plot = curvePlot({ x: [0, reward.length], y, count: 2, label, onscrub, ...look });
  plot.put([reward, gold].map((curve) => curve.map((v, i) => [i + 1, v])));
  const turn = state.get("turns")[b];
  if (turn !== null) plot.node.append(flag(plot, turn, gold[turn - 1], reward.length));
  function draw(k) {
    const at = state.get("iterations")[k];
    plot.mark(at, [reward[at - 1], gold[at - 1]]);
  }
  return { node: plot.node, draw };
}

/** The words stand below zero, where no gold score is. */
function flag(plot, iteration, value, end) {
  const [x, top, foot] = [plot.px(iteration), plot.py(value), plot.py(0)];
  const back = iteration > end / 2; // there the words stand at its left
  const words = svg("text", { class: "live-label", x: x + (back ? -6 : 6), y: foot + 15 }, `turn at ${iteration}`);
  words.setAttribute("text-anchor", back ? "end" : "start");
  return svg("g", { class: "live-turn" }, svg("path", { d: `M${x.toFixed(1)} ${top.toFixed(1)}V${foot}` }), words);
}

/** One prompt, and two responses to it. */
export function textRow(prompt) {
  const cells = [0, 1].map(() => html("div", { class: "live-rlhf-text" }));
  const pair = html("div", { class: "live-pair" }, ...cells);
  const node = html("div", { class: "live-rlhf-row" }, html("p", { class: "live-note" }, `${prompt} …`), pair);
  const put = (texts) => {
    texts.forEach((text, i) => {
      cells[i].replaceChildren(response(text), scores(text));
    });
  };
  return { node, put };
}

const scores = ({ score, gold }) =>
  html("p", { class: "live-rlhf-scores" }, `reward ${show(score, 2)}, gold ${show(gold, 2)}`);

export const curveKey = () =>
  legendOf([
    ["live-rlhf-reward", "reward, by the model"],
    ["live-rlhf-gold", "gold, by the judge"],
  ]);
