// One number of a training over its iterations, small, with its name and where it ends.
import { fine, html } from "../parts/dom.js";
import { axes } from "../parts/plot.js";

const BOX = { left: 50, right: 4, top: 11, bottom: 11 };

/** @param scale lowest and highest that is drawn; null for the curve's own. */
export function panel({ title, scale, curve, run }) {
  const y = scale ?? around(curve);
  const [width, height] = [180, 58];
  const x = [0, curve.length - 1];
  const plot = axes({ x, y, xticks: [], yticks: y, xlabel: "", ylabel: "", width, height, box: BOX });
  plot.line("live-bug-curve")(curve.map((value, i) => [i, Math.max(y[0], Math.min(y[1], value))]));
  plot.node.setAttribute("role", "img");
  const [first, last] = [curve[0], curve.at(-1)].map(fine);
  const range = `between ${fine(Math.min(...curve))} and ${fine(Math.max(...curve))}`;
  plot.node.setAttribute("aria-label", `run ${run}, ${title}: from ${first} to ${last}, ${range}`);
  const name = html("p", { class: "live-bug-name" }, html("span", {}, title), html("span", {}, last));
  return { node: html("div", { class: "live-bug-panel" }, name, plot.node) };
}

/** Round bounds for a curve of its own scale. */
function around(curve) {
  const [low, high] = [Math.min(...curve), Math.max(...curve)];
  const step = 10 ** Math.floor(Math.log10(high - low || 1));
  return [Math.floor(low / step) * step, Math.ceil(high / step) * step + (low === high ? step : 0)];
}
