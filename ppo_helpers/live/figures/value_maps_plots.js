// The two plots under chapter 3's maps: a cut through one row, and the errors during the training.
import { curvePlot } from "../parts/charts.js";
import { legendOf } from "../parts/controls.js";
import { html, svg } from "../parts/dom.js";
import { axes, roundTicks } from "../parts/plot.js";

const SIZE = { width: 280, height: 176, ylabel: "", box: { left: 40, right: 18, top: 8, bottom: 38 } };

/** Both plots, each under a line that says what is what. */
export function valuePlots({ world, truth, steps, low, high, top }, onscrub) {
  const cut = cutPlot(world, low, high);
  const errors = errorPlot(steps, top, onscrub);
  const row = html("span", {});
  const readings = [0, 1].map(() => html("span", { class: "live-reading" }));
  const keys = legendOf([
    ["live-key-0", "shown "],
    ["live-key-1", "others "],
  ]);
  keys.prepend("error:");
  readings.forEach((reading, i) => {
    keys.children[i].append(reading);
  });
  const cutKeys = legendOf([
    ["live-key-said", "network"],
    ["live-key-true", "truth"],
  ]);
  cutKeys.prepend(row);
  return {
    cut: html("div", {}, cutKeys, cut.node),
    errors: html("div", {}, keys, errors.node),
    draw({ run, frame, chosen }) {
      const [at] = world.states[chosen];
      row.textContent = `row ${at}:`;
      cut.draw(at, run.frames[frame()], truth, run.cells);
      errors.draw(run, frame());
      readings.forEach((reading, i) => {
        const error = run.errors[frame()][i];
        reading.textContent = Number.isFinite(error) ? error.toFixed(2) : "–";
      });
    },
  };
}

/** One row of the maps from the side: true values as bars, the network as a line, and how far it is off in between. */
function cutPlot(world, low, high) {
  const width = world.cells[0].length;
  const room = 0.15 * (high - low);
  const y = [low - room, high + room];
  const ticks = { xticks: roundTicks(0, width - 1, 5), yticks: roundTicks(...y, 4) };
  const plot = axes({ x: [-0.5, width - 0.5], y, xlabel: "column", ...ticks, ...SIZE });
  const picture = svg("g");
  plot.node.append(picture);
  plot.node.setAttribute("role", "img");
  const at = (c, v) => `${plot.px(c).toFixed(1)} ${plot.py(Math.max(y[0], Math.min(y[1], v))).toFixed(1)}`;
  return {
    node: plot.node,
    draw(row, predicted, truth, shown) {
      const cells = world.index[row].map((s, c) => ({ s, c }));
      const states = cells.filter(({ s }) => s >= 0);
      const walls = cells.filter(({ s }) => s < 0).map(({ c }) => wall(plot, c, y));
      const dots = states.filter(({ s }) => shown.has(s)).map(({ s, c }) => dot(plot, c, predicted[s], y));
      const missed = states.map(({ s, c }) => `M${at(c, truth[s])}L${at(c, predicted[s])}`).join("");
      const bars = states.map(({ s, c }) => `M${at(c - 0.4, truth[s])}L${at(c + 0.4, truth[s])}`).join("");
      const line = states.map(({ s, c }, i) => `${i ? "L" : "M"}${at(c, predicted[s])}`).join("");
      const path = (d, cls) => svg("path", { d, class: cls, fill: "none" });
      const paths = [path(missed, "live-missed"), path(bars, "live-true"), path(line, "live-said")];
      picture.replaceChildren(...walls, ...paths, ...dots);
      plot.node.setAttribute(
        "aria-label",
        `cut through row ${row}: the network's values as a line, the true ones as bars`,
      );
    },
  };
}

function wall({ px, py }, c, [low, high]) {
  const x = px(c - 0.5);
  return svg("rect", { x, y: py(high), width: px(c + 0.5) - x, height: py(low) - py(high), class: "live-stone" });
}

function dot({ px, py }, c, value, [low, high]) {
  return svg("circle", { cx: px(c), cy: py(Math.max(low, Math.min(high, value))), r: 4, class: "live-shown" });
}

/** Both errors against the training step; `top` is the end of their axis. */
function errorPlot(steps, top, onscrub) {
  const x = [0, Math.max(steps.at(-1), 1)];
  const label = "root mean square error on shown and on unseen cells, by training step";
  const plot = curvePlot({ x, y: [0, top], count: 2, label, onscrub, xlabel: "training step", ...SIZE });
  return {
    node: plot.node,
    draw(run, frame) {
      const known = (which) => run.errors.map((errors, k) => [steps[k], Math.min(errors[which], top)]);
      plot.put([0, 1].map((which) => known(which).filter(([, error]) => Number.isFinite(error))));
      plot.mark(
        steps[frame],
        run.errors[frame].map((error) => Math.min(error, top)),
      );
    },
  };
}
