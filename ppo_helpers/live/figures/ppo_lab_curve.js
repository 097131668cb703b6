// One measure by iteration, both trainings in one plot; a flag stands where one falls.
import { curvePlot } from "../parts/charts.js";
import { choice } from "../parts/controls.js";
import { html, svg } from "../parts/dom.js";
import { flagAt } from "../parts/flag.js";
import { MEASURE_NAMES } from "./ppo_lab_measures.js";

const LOOK = { width: 272, height: 168, box: { left: 45, right: 10, top: 30, bottom: 38 } };

/** `scrub(iteration)` is called where the reader presses or draws along the curve, `measure(name)` for another one. */
export function curveOf(scene, { scrub, measure }) {
  const home = html("div");
  const names = MEASURE_NAMES.map((name) => [name, name]);
  const { node: list, pick } = choice("curve", names, measure);
  let [plot, shown, judge] = [null, null, null];
  return {
    node: html("div", {}, list, home),
    draw(k) {
      if (judge !== scene.judge || shown !== scene.measure.name) {
        [shown, judge] = [scene.measure.name, scene.judge]; // another world pays otherwise
        plot = plotOf(scene, scrub);
        home.replaceChildren(plot.node);
        pick.value = shown;
      }
      plot.draw(k);
    },
  };
}

function plotOf(scene, onscrub) {
  const { judge, measure } = scene;
  const y = measure.range(judge);
  const x = [0, Math.max(...scene.sides.map(({ iterations }) => iterations))];
  const words = { xlabel: "iteration", ylabel: measure.name, label: `${measure.name} by iteration` };
  const axes = { x, y, ywords: measure.ticks, count: 2, ...words, ...LOOK };
  const plot = curvePlot({ ...axes, onscrub: (at) => onscrub(Math.round(at)) });
  plot.node.classList.add("live-lab-curve");
  if (measure.points) plot.node.prepend(...levels(plot, x, judge));
  const flags = svg("g");
  plot.node.append(flags);
  const height = (frame) => Math.max(y[0], Math.min(y[1], measure.of(frame)));
  const flag = ({ fell, frames }, i) =>
    fell === null ? [] : [flagAt(plot, [fell, height(frames[fell])], x[1], `falls at ${fell}`, i)];
  const curve = ({ frames }) => frames.map((frame, n) => [n, height(frame)]).filter(([, v]) => !Number.isNaN(v));
  return {
    node: plot.node,
    draw(k) {
      plot.put(scene.runs.map(curve));
      plot.mark(
        k,
        scene.runs.map(({ frames }) => height(frames[k])),
      );
      flags.replaceChildren(...scene.runs.flatMap(flag));
    },
  };
}

/** The best that can be had, and walking by chance. */
const levels = (plot, x, { best, random }) =>
  [
    [best, "best", -4],
    [random, "by chance", 13],
  ].flatMap(([level, words, below]) => [
    svg("path", { class: "live-level", d: `M${plot.px(x[0])} ${plot.py(level)}H${plot.px(x[1])}` }),
    plot.text([plot.px(x[1]) - 9, plot.py(level) + below], words, { "text-anchor": "end" }),
  ]);
