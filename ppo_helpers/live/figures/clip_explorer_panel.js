// One panel of the clip explorer: the objective for one sign of the advantage, and under its axis the samples of that
// sign.
import { show, svg } from "../parts/dom.js";
import { arrowPath, grip } from "../parts/grips.js";
import { axes, text } from "../parts/plot.js";
import { clip, clippedGradient, clippedSurrogate, isFlat } from "../twins/surrogate.js";
import { END } from "./clip_explorer_words.js";

const [WIDTH, TOP, ROOM] = [270, 30, 86];
const BIN = 0.05;

/** The picture is drawn in units of the advantage's size, so it keeps its shape; the labels of the axis say the
 *  numbers. */
export function clipPanel(sign, samples, onmove) {
  const below = samples.length ? ROOM : 0;
  const box = { left: 58, right: 8, top: TOP, bottom: 42 + below };
  const y = [-0.4, 2.4].map((v) => sign * v).sort((a, b) => a - b);
  const ticks = { xticks: [0, 0.5, 1, 1.5, 2], yticks: [], xlabel: "ratio ρ", ylabel: "" };
  const plot = axes({ x: [0, END], y, ...ticks, width: WIDTH, height: 280 + below, box });
  plot.node.setAttribute("role", "group");
  plot.node.setAttribute("aria-label", sign > 0 ? "positive advantage" : "negative advantage");
  const bottom = Math.max(plot.py(y[0]), plot.py(y[1]));
  const title = sign > 0 ? "A > 0: a good move" : "A < 0: a bad move";
  plot.node.append(text([WIDTH / 2 + 25, 19], title, { class: "live-label live-title" }));
  const ground = groundOf(plot, sign, bottom, samples.length ? bottom + ROOM + 12 : 0);
  const labels = scaleOf(plot, sign);
  const batch = samples.length ? histogram(plot, sign, samples, bottom) : () => {};
  const lines = linesOf(plot, sign);
  const point = pointOf(plot, sign, onmove);
  return {
    node: plot.node,
    put(now) {
      ground(now);
      labels(now.size);
      batch(now.eps);
      lines(now);
      point(now);
    },
  };
}

/** The band around 1, and where the ratio stands: down to the axis and, past its labels, to the samples. */
function groundOf(plot, sign, bottom, floor) {
  const here = svg("path", { class: "live-here" });
  const band = svg("rect", { y: TOP, height: bottom - TOP, class: "live-band" });
  const zero = svg("path", { d: `M${plot.px(0)} ${plot.py(0)}H${plot.px(END)}`, class: "live-zero" });
  plot.node.append(band, zero, here);
  return ({ r, eps }) => {
    const [x, y] = [plot.px(r), plot.py(clippedSurrogate(r, sign, eps))];
    here.setAttribute("d", `M${x} ${y}V${bottom}${floor ? `M${x} ${bottom + 25}V${floor}` : ""}`);
    band.setAttribute("x", plot.px(1 - eps));
    band.setAttribute("width", plot.px(1 + eps) - plot.px(1 - eps));
  };
}

function scaleOf(plot, sign) {
  const labels = [0, 1, 2].map((k) => {
    const node = text([52, plot.py(sign * k) + 4], "", { "text-anchor": "end" });
    plot.node.append(node);
    return node;
  });
  return (size) => {
    labels.forEach((node, k) => {
      node.textContent = show(sign * k * size);
    });
  };
}

/** ρ · A, the objective with its flat part, and, if asked for, the plain clip. */
function linesOf(plot, sign) {
  const [free, plain] = [plot.line("live-free"), plot.line("live-plain")];
  const [alive, dead] = [plot.line("live-objective"), plot.line("live-dead")];
  free([
    [0, 0],
    [END, sign * END],
  ]);
  return ({ eps, plain: on }) => {
    const edge = 1 + sign * eps;
    const far = sign > 0 ? END : 0;
    const at = (x) => [x, clippedSurrogate(x, sign, eps)];
    alive([sign > 0 ? 0 : END, edge].map(at));
    dead([edge, far].map(at));
    plain(on ? [0, 1 - eps, 1 + eps, END].map((x) => [x, sign * clip(x, eps)]) : []);
  };
}

/** The sample on its curve, and the arrow of its gradient along the curve: none only where the gradient is 0. */
function pointOf(plot, sign, onmove) {
  const arrow = svg("path", { class: "live-gradient" });
  const parts = [svg("circle", { r: 24, class: "live-touch" }), svg("circle", { r: 9, class: "live-knob" })];
  const label = `ratio ρ, of a ${sign > 0 ? "good" : "bad"} move`;
  const put = grip(plot, { along: "x", label, min: 0, max: END, step: 0.01, page: 0.1, parts, onmove });
  plot.node.append(arrow);
  const slope = [plot.px(1) - plot.px(0), plot.py(sign) - plot.py(0)];
  const unit = slope.map((v) => v / Math.hypot(...slope));
  return ({ r, size, eps }) => {
    const gradient = clippedGradient(r, sign * size, eps);
    const [x, y] = [plot.px(r), plot.py(clippedSurrogate(r, sign, eps))];
    const push = gradient === 0 ? "gradient 0" : `gradient ${show(gradient, 2)}`;
    put(r, x, y, `${show(r, 2)}, ${push}`);
    const length = Math.sign(gradient) * (14 + 12 * Math.abs(gradient));
    const [ux, uy] = unit.map((v) => v * Math.sign(gradient));
    const path = gradient === 0 ? "" : arrowPath(x + 11 * ux, y + 11 * uy, unit[0] * length, unit[1] * length);
    arrow.setAttribute("d", path);
  };
}

/** How many samples have which ratio; those whose gradient is 0 are grey. What lies beyond the axis stands in the last
 *  bar. */
function histogram(plot, sign, samples, bottom) {
  const bins = Array.from({ length: Math.round(END / BIN) }, () => []);
  for (const ratio of samples) bins[Math.min(bins.length - 1, Math.floor(ratio / BIN))].push(ratio);
  const most = Math.max(...bins.map((bin) => bin.length));
  const [floor, width] = [bottom + ROOM + 12, plot.px(BIN) - plot.px(0)];
  const bars = bins.map((_, i) =>
    ["live-samples", "live-samples live-dead-samples"].map((cls) => {
      const bar = svg("rect", { x: plot.px(i * BIN) + 0.5, width: width - 1, class: cls });
      plot.node.append(bar);
      return bar;
    }),
  );
  const tall = (count) => (ROOM - 18) * Math.sqrt(count / most);
  plot.node.append(svg("path", { d: `M${plot.px(0)} ${floor}H${plot.px(END)}`, class: "live-rule" }));
  return (eps) => {
    bins.forEach((bin, i) => {
      const dead = bin.filter((ratio) => isFlat(ratio, sign, eps)).length;
      stand(bars[i][0], floor, tall(bin.length));
      stand(bars[i][1], floor, (tall(bin.length) * dead) / (bin.length || 1));
    });
  };
}

function stand(bar, floor, height) {
  bar.setAttribute("y", floor - height);
  bar.setAttribute("height", height);
}
