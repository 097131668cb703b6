// What walks earn by iteration, both trainings in one plot; a flag stands where one falls.
import { curvePlot } from "../parts/charts.js";
import { html, svg } from "../parts/dom.js";
import { flagAt } from "../parts/flag.js";

const LOOK = { width: 272, height: 168, box: { left: 36, right: 10, top: 30, bottom: 38 } };

/** `onscrub(iteration)` is called where the reader presses or draws along the curve. */
export function curveOf(scene, onscrub) {
  const node = html("div");
  let [plot, judge] = [null, null];
  return {
    node,
    draw(k) {
      if (judge !== scene.judge) {
        [plot, judge] = [plotOf(scene, onscrub), scene.judge]; // another world pays otherwise
        node.replaceChildren(plot.node);
      }
      plot.draw(k);
    },
  };
}

function plotOf(scene, onscrub) {
  const { best, random } = scene.judge;
  const range = best - random || 1;
  const y = [random - 0.4 * range, best + 0.12 * range]; // what falls deeper runs along the foot
  const x = [0, Math.max(...scene.sides.map(({ iterations }) => iterations))];
  const words = { xlabel: "iteration", ylabel: "points a walk", label: "points a walk by iteration" };
  const plot = curvePlot({ x, y, count: 2, onscrub: (at) => onscrub(Math.round(at)), ...words, ...LOOK });
  plot.node.classList.add("live-lab-curve");
  plot.node.prepend(...levels(plot, x, best, random));
  const flags = svg("g");
  plot.node.append(flags);
  const inside = (points) => Math.max(y[0], Math.min(y[1], points));
  const flag = ({ fell, curve }, i) =>
    fell === null ? [] : [flagAt(plot, [fell, inside(curve[fell])], x[1], `falls at ${fell}`, i)];
  return {
    node: plot.node,
    draw(k) {
      plot.put(scene.runs.map(({ curve }) => curve.map((points, i) => [i, inside(points)])));
      plot.mark(
        k,
        scene.runs.map(({ curve }) => inside(curve[k])),
      );
      flags.replaceChildren(...scene.runs.flatMap(flag));
    },
  };
}

/** The best that can be had, and walking by chance. */
const levels = (plot, x, best, random) =>
  [
    [best, "best", -4],
    [random, "by chance", 13],
  ].flatMap(([level, words, below]) => [
    svg("path", { class: "live-level", d: `M${plot.px(x[0])} ${plot.py(level)}H${plot.px(x[1])}` }),
    plot.text([plot.px(x[1]) - 9, plot.py(level) + below], words, { "text-anchor": "end" }),
  ]);
