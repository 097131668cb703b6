// How long the pole stands, by iteration; the training before this one stays in sight.
import { curvePlot } from "../parts/charts.js";
import { svg } from "../parts/dom.js";
import { LONGEST } from "../twins/cartpole.js";
import { SOLVED } from "./cart_pole_school.js";

const LOOK = { width: 272, height: 190, box: { left: 38, right: 14, top: 30, bottom: 40 } };

/** `onscrub(iteration)` is called where the reader presses or draws along the curve. */
export function curveOf(state, school, onscrub) {
  const x = [0, state.get("config").iterations];
  const words = { xlabel: "iteration", ylabel: "pushes a walk", label: "pushes a walk by iteration" };
  const plot = curvePlot({ x, y: [0, LONGEST], count: 2, onscrub: (at) => onscrub(Math.round(at)), ...words, ...LOOK });
  const level = svg("path", { class: "live-level", d: `M${plot.px(0)} ${plot.py(SOLVED)}H${plot.px(x[1])}` });
  plot.node.classList.add("live-pole-curve");
  plot.node.prepend(level);
  plot.node.append(plot.text([plot.px(0) + 6, plot.py(SOLVED) + 15], "solved", { "text-anchor": "start" }));
  return {
    node: plot.node,
    draw(k) {
      const [record, before] = [school.record(), school.before()];
      plot.put([pointsOf(record), before ? pointsOf(before) : []]);
      plot.mark(k, [record.frames[k].mean ?? Number.NaN]);
    },
  };
}

const pointsOf = ({ frames }) => frames.flatMap(({ mean }, k) => (mean === null ? [] : [[k, mean]]));
