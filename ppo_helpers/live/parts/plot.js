// Axes and what is drawn on them, as SVG that takes the page's text colour.
import { show, svg } from "./dom.js";

const BOX = { left: 46, right: 14, top: 26, bottom: 40 };
const twoDigits = (v) => show(v, 2);

/** Axes on x = [x0, x1], y = [y0, y1]; `ticks` are the labelled values, `ywords` says those of y. On a phone every
 *  second x tick gives way. */
export function axes({
  x,
  y,
  xticks,
  yticks,
  xlabel,
  ylabel,
  width = 540,
  height = 240,
  box = BOX,
  ywords = twoDigits,
}) {
  const px = (v) => box.left + ((v - x[0]) / (x[1] - x[0])) * (width - box.left - box.right);
  const py = (v) => height - box.bottom - ((v - y[0]) / (y[1] - y[0])) * (height - box.top - box.bottom);
  const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "live-plot" });
  const plot = { node, px, py, text, line: (cls) => line(plot, cls) };
  for (const v of yticks) {
    const rule = svg("path", { d: `M${px(x[0])} ${py(v)}H${px(x[1])}`, class: v === 0 ? "live-zero" : "live-rule" });
    node.append(rule, text([box.left - 7, py(v) + 4], ywords(v), { "text-anchor": "end" }));
  }
  xticks.forEach((v, i) => {
    const spare = xticks.length > 5 && (xticks.length - 1 - i) % 2 ? "live-label live-spare" : "live-label";
    node.append(text([px(v), height - box.bottom + 17], show(v, 2), { class: spare }));
  });
  const middle = (px(x[0]) + px(x[1])) / 2;
  node.append(text([middle, height - 5], xlabel), text([4, 16], ylabel, { "text-anchor": "start" }));
  return plot;
}

/** Words at a place of the drawing. */
export const text = ([x, y], words, attrs = {}) =>
  svg("text", { x, y, "text-anchor": "middle", class: "live-label", ...attrs }, words);

/** A line whose points are given later, and again. */
function line({ node, px, py }, cls) {
  const path = svg("path", { class: `live-line ${cls}`, fill: "none" });
  node.append(path);
  const at = ([a, b], i) => `${i ? "L" : "M"}${px(a).toFixed(1)} ${py(b).toFixed(1)}`;
  return (points) => path.setAttribute("d", points.map(at).join(""));
}

/** At most `most` round numbers within [low, high]. */
export function roundTicks(low, high, most) {
  const rough = (high - low) / most;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((m) => m * unit >= rough * (1 - 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => +((first + i) * step).toPrecision(10) || 0);
}
