// The path: states at the height of their values, and the TD error of each move as an arrow.
import { prize } from "../parts/cells.js";
import { show, svg } from "../parts/dom.js";
import { arrowPath, grip, under } from "../parts/grips.js";
import ICONS from "../parts/icons.json" with { type: "json" };
import { axes, text } from "../parts/plot.js";

/** What the path and the sum under it share: a column for each state, and, a little after it, the move that leaves
 *  it. */
export const SIDES = { left: 46, right: 8 };
export const MOVE = 0.44;
export const isLong = (steps) => steps > 7; // then there is less room for words
/** Where the whole bar stands, after the end of the path. */
export const wholeAt = (steps) => steps + (isLong(steps) ? 0.4 : 0.06);
export const columns = (steps) => ({ x: [-0.35, wholeAt(steps) + 0.4], xticks: [], xlabel: "", ylabel: "" });
const HEIGHT = 280;
const clamp = (v, most) => Math.max(-most, Math.min(most, v));

/** The states at the height of their values, to be dragged; between two of them the TD error of the move as an arrow,
 *  from what the critic said to what the move has shown: reward plus discounted next value. */
export function pathPicture(rewards, lastValue, { onvalue, onpick }) {
  const steps = rewards.length;
  const box = { ...SIDES, top: 58, bottom: 28 };
  const plot = axes({ ...columns(steps), y: [-6, 6], yticks: [-5, 0, 5], height: HEIGHT, box });
  const gap = plot.px(1) - plot.px(0);
  const pill = { width: Math.min(46, 0.66 * gap), height: 28 };
  plot.node.setAttribute("role", "group");
  plot.node.classList.add("live-road");
  plot.node.append(text([0, 20], "reward", { "text-anchor": "start" }), deltaText([0, HEIGHT - 6], "δ", "start"));
  const moves = rewards.map((reward, t) => moveOf(plot, t, reward, pill.width / 2));
  endOf(plot, steps, lastValue, pill);
  const values = rewards.map((_, t) => valueGrip(plot, t, gap, pill, (v) => onvalue(t, v)));
  const walker = svg("g", { class: "live-walker", "aria-hidden": "true" });
  walker.innerHTML = ICONS.walker;
  plot.node.append(walker);
  choosing(plot, steps, onpick);
  const size = Math.min(0.6, gap / 140);
  return {
    node: plot.node,
    put(path) {
      moves.forEach((move) => {
        move(path);
      });
      path.values.forEach((v, t) => {
        values[t](v);
      });
      const height = path.values[path.now] ?? clamp(lastValue, 5);
      const [x, y] = [plot.px(path.now) - 50 * size, plot.py(height) - 15 - 72 * size];
      walker.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px) scale(${size})`;
    },
  };
}

const deltaText = (at, words, anchor = "middle") =>
  text(at, words, { class: "live-label live-term", "text-anchor": anchor });

/** One move: level with the critic's value, by its TD error up or down, and on to the next state. */
function moveOf(plot, t, reward, half) {
  const middle = plot.px(t + MOVE);
  const way = svg("path", { class: "live-way" });
  const arrow = svg("path", { "data-step": t });
  const number = deltaText([middle, HEIGHT - 6], "");
  plot.node.append(way, arrow, text([middle, 20], prize(reward)), number);
  return ({ values, lastValue, deltas, weights }) => {
    const [from, to] = [values[t], clamp(values[t] + deltas[t], 6)];
    const next = clamp(values[t + 1] ?? lastValue, 5);
    const [start, end] = [plot.px(t) + half, plot.px(t + 1) - half];
    way.setAttribute("d", `M${start} ${plot.py(from)}H${middle}M${middle} ${plot.py(to)}L${end} ${plot.py(next)}`);
    arrow.setAttribute("d", arrowPath(middle, plot.py(from), 0, plot.py(to) - plot.py(from)));
    arrow.setAttribute("class", pieceClass(deltas[t], weights[t] === null));
    number.textContent = show(deltas[t], isLong(deltas.length) ? 1 : 2);
    number.style.opacity = weights[t] === null ? 0.6 : 1;
  };
}

/** The look of a TD error: pale below zero, faint where it no longer counts. */
export const pieceClass = (value, behind) =>
  `live-delta${value < 0 ? " live-down" : ""}${behind ? " live-behind" : ""}`;

function endOf(plot, steps, lastValue, { width, height }) {
  const [x, y] = [plot.px(steps), plot.py(clamp(lastValue, 5))];
  const at = { x: x - width / 2, y: y - height / 2, width, height, rx: 4 };
  const words = lastValue ? show(lastValue) : "end";
  plot.node.append(svg("rect", { ...at, class: "live-state live-end" }), text([x, y + 5], words));
}

function valueGrip(plot, t, gap, { width, height }, onmove) {
  const words = text([0, 5], "");
  const shape = { x: -width / 2, y: -height / 2, width, height, rx: Math.min(14, width / 2) };
  const parts = [
    svg("circle", { r: Math.min(35, gap / 2), class: "live-touch" }),
    svg("rect", { ...shape, class: "live-state live-knob" }),
    words,
  ];
  const label = `value of the state at step ${t}`;
  const put = grip(plot, { along: "y", label, min: -5, max: 5, step: 0.5, page: 1, parts, onmove });
  return (v) => {
    words.textContent = show(v);
    put(v, plot.px(t), plot.py(v));
  };
}

/** A click on a column, one that has dragged nothing, chooses its step. */
function choosing(plot, steps, onpick) {
  let before = "";
  const places = () => [...plot.node.querySelectorAll(".live-grip")].map((e) => e.getAttribute("transform")).join();
  plot.node.addEventListener("pointerdown", () => {
    before = places();
  });
  plot.node.addEventListener("click", (event) => {
    const t = Math.floor(under(plot, "x", event) + 0.3);
    if (places() === before) onpick(Math.max(0, Math.min(steps, t)));
  });
}
