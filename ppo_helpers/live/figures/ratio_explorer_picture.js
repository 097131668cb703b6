// The three drawings of the ratio explorer: the ratio on its gauge, the probabilities to drag, and the logits under
// them.
import { show, svg } from "../parts/dom.js";
import { arrowPath, grip } from "../parts/grips.js";
import { axes, text } from "../parts/plot.js";

const MOVES = [0, 1, 2, 3];
const NAMES = ["up", "right", "down", "left"];
const COLUMNS = { x: [-0.5, 3.5], xticks: [], xlabel: "" };
const LOWEST = 0.01; // the left end of the gauge

/** A ratio in three digits, or two where it is small. */
export const times = (ratio) => `×${+ratio.toPrecision(ratio < 0.01 ? 2 : 3)}`;

/** The ratio on a log axis, every factor of ten equally long; the end of its way is where the move has all the
 *  probability. */
export function ratioGauge() {
  const node = svg("svg", { viewBox: "0 0 540 112", class: "live-plot live-gauge", role: "img" });
  const scale = svg("g");
  const reach = svg("path", { class: "live-reach" });
  const dot = svg("circle", { r: 9, cy: 56, class: "live-ratio-dot" });
  const number = text([0, 32], "", { class: "live-big" });
  node.append(scale, reach, dot, number);
  let drawn = 0;
  return {
    node,
    put({ ratio, before, action }) {
      const most = 1 / before[action];
      const high = Math.max(100, 10 ** Math.ceil(Math.log10(most)));
      const at = (v) => 24 + (492 * Math.log10(Math.max(v, LOWEST) / LOWEST)) / Math.log10(high / LOWEST);
      if (drawn !== most) scale.replaceChildren(...scaleOf(at, high, most));
      drawn = most;
      dot.setAttribute("cx", at(ratio));
      reach.setAttribute("d", `M${at(1)} 56H${at(ratio)}`);
      number.setAttribute("x", Math.max(112, Math.min(440, at(ratio))));
      number.textContent = times(ratio);
      node.setAttribute("aria-label", `ratio ${times(ratio)}; it can be ${times(most)} at most`);
    },
  };
}

function scaleOf(at, high, most) {
  const decades = Array.from({ length: Math.round(Math.log10(high / LOWEST)) + 1 }, (_, k) => LOWEST * 10 ** k);
  const every = decades.length > 6 ? 2 : 1;
  const tick = (v) => svg("path", { d: `M${at(v)} 49v14`, class: "live-zero" });
  const label = (v) =>
    text([at(v), 82], v < 10_000 ? String(+v.toPrecision(3)) : `10${"⁰¹²³⁴⁵⁶⁷⁸⁹"[Math.round(Math.log10(v))]}`);
  const one = Math.round(-Math.log10(LOWEST));
  const [end, words] = [at(most), `all the probability: ${times(most)}`];
  return [
    svg("rect", { x: end, y: 46, width: Math.max(0, 524 - end), height: 20, class: "live-beyond" }),
    svg("path", { d: "M16 56H524", class: "live-zero" }),
    ...decades.map(tick),
    ...decades.filter((_, k) => (k - one) % every === 0).map(label),
    svg("path", { d: `M${end} 42V92`, class: "live-ceiling" }),
    text([Math.max(310, Math.min(end + 4, 536)), 107], words, {
      "text-anchor": "end",
      class: "live-label live-ceiling-words",
    }),
  ];
}

/** The probabilities as bars whose tops are dragged, those of π_old as frames around them. */
export function barsPicture(onmove) {
  const box = { left: 46, right: 14, top: 64, bottom: 10 };
  const plot = axes({ ...COLUMNS, y: [0, 1], yticks: [0, 0.5, 1], ylabel: "", height: 205, box });
  plot.node.setAttribute("role", "group");
  plot.node.append(text([4, 19], "probability", { "text-anchor": "start", class: "live-label live-spare" }));
  const columns = MOVES.map((j) => barOf(plot, j));
  const tops = MOVES.map((j) => topOf(plot, j, (p) => onmove(j, p)));
  return {
    node: plot.node,
    put({ before, now, action, ratio }) {
      columns.forEach((column, j) => {
        column(before[j], now[j], j === action ? times(ratio) : "");
        tops[j](now[j], plot.px(j), plot.py(now[j]), show(now[j], 3));
      });
    },
  };
}

function barOf(plot, j) {
  const middle = plot.px(j);
  const bar = svg("rect", { x: middle - 27, width: 54 });
  const frame = svg("rect", { x: middle - 39, width: 78, class: "live-old" });
  const [number, ratio] = [text([middle, 0], ""), text([middle, 0], "", { class: "live-label live-times" })];
  plot.node.append(bar, frame, number, ratio);
  const stand = (node, p) => {
    node.setAttribute("y", plot.py(p));
    node.setAttribute("height", plot.py(0) - plot.py(p));
  };
  return (before, now, words) => {
    stand(bar, now);
    stand(frame, before);
    bar.setAttribute("class", words ? "live-new live-chosen-move" : "live-new");
    const top = plot.py(Math.max(before, now)) - 9;
    [number.textContent, ratio.textContent] = [show(now, 3), words];
    number.setAttribute("y", top);
    ratio.setAttribute("y", top - 21);
  };
}

function topOf(plot, j, onmove) {
  const parts = [
    svg("rect", { x: -39, y: -22, width: 78, height: 44, class: "live-touch" }),
    svg("rect", { x: -27, y: -4.5, width: 54, height: 9, rx: 4.5, class: "live-knob" }),
  ];
  const label = `probability of ${NAMES[j]}`;
  return grip(plot, { along: "y", label, min: 0.01, max: 0.99, step: 0.01, page: 0.1, parts, onmove });
}

/** The logits behind the probabilities, and beside each of them an arrow that ends where the next step takes it. */
export function logitsPicture(limit) {
  const y = [-1.1 * limit, 1.1 * limit];
  const box = { left: 46, right: 14, top: 30, bottom: 10 };
  const plot = axes({ ...COLUMNS, y, yticks: [-limit, 0, limit], ylabel: "", height: 140, box });
  plot.node.setAttribute("role", "img");
  plot.node.setAttribute("aria-label", "logits of the four moves");
  plot.node.append(text([4, 19], "logit", { "text-anchor": "start" }));
  const columns = MOVES.map((j) => {
    const [mark, arrow] = [svg("path", { class: "live-before" }), svg("path", { class: "live-gradient" })];
    const dot = svg("circle", { r: 7, cx: plot.px(j), class: "live-ratio-dot" });
    plot.node.append(mark, arrow, dot);
    return { mark, arrow, dot };
  });
  return {
    node: plot.node,
    put({ logits, oldLogits, next }) {
      columns.forEach(({ mark, arrow, dot }, j) => {
        const [x, here] = [plot.px(j), plot.py(logits[j])];
        mark.setAttribute("d", `M${x - 39} ${plot.py(oldLogits[j]).toFixed(1)}h78`);
        dot.setAttribute("cy", here);
        arrow.setAttribute("d", arrowPath(x + 20, here, 0, plot.py(next[j]) - here));
      });
    },
  };
}
