// What the objective says, and what is true, side by side, by epoch.
import { curvePlot } from "../parts/charts.js";
import { html, svg } from "../parts/dom.js";

const LOOK = { width: 420, height: 138, box: { left: 44, right: 12, top: 28, bottom: 38 } };

/** `onscrub(epoch)` is called where the reader presses or draws along a curve. */
export function curvesOf(scene, onscrub) {
  const node = html("div", { class: "live-pair" });
  let [known, plots] = [null, []];
  return {
    node,
    draw(k) {
      if (known !== scene.runs) {
        plots = plotsOf(scene, onscrub);
        node.replaceChildren(...plots.map((plot) => plot.node));
        known = scene.runs;
      }
      for (const plot of plots) plot.at(k);
    },
  };
}

function plotsOf({ runs, judge, climb: { epochs } }, onscrub) {
  const [objective, points] = ["objective", "points"].map((name) => runs.map((run) => run.map((frame) => frame[name])));
  const low = Math.min(judge.random, ...points.flat());
  const range = [low - 0.05 * (judge.best - low), judge.best + 0.25 * (judge.best - low)];
  const said = plotOf("what the objective says", objective, [0, Math.max(0.1, ...objective.flat())], epochs, onscrub);
  const earned = plotOf("what a walk earns", points, range, epochs, onscrub);
  levels(earned, epochs, judge);
  return [said, earned];
}

function plotOf(label, columns, y, epochs, onscrub) {
  const words = { xlabel: "epochs", ylabel: label, label: `${label}, by epoch` };
  const plot = curvePlot({ x: [0, epochs], y, count: 2, onscrub: (at) => onscrub(Math.round(at)), ...words, ...LOOK });
  const own = columns.length > 1 ? columns : [[], ...columns]; // a run without the clip has the second colour
  plot.put(own.map((column) => column.map((v, k) => [k, v])));
  plot.node.classList.add("live-one-curve");
  const at = (k) => {
    const values = own.map((column) => column[k]);
    plot.mark(k, values);
  };
  return { ...plot, at };
}

/** What is best, and what walking by chance earns: words where the curves are not. */
function levels({ node, px, py, text }, epochs, { best, random }) {
  const rule = (level) => svg("path", { class: "live-level", d: `M${px(0)} ${py(level)}H${px(epochs)}` });
  node.prepend(rule(best), rule(random));
  node.append(text([px(epochs) - 4, py(best) - 5], "best", { "text-anchor": "end" }));
  node.append(text([px(0) + 6, py(random) - 5], "by chance", { "text-anchor": "start" }));
}
