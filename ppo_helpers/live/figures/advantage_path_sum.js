// The sum under the path: the advantage as one bar that is taken apart.
import { show, svg } from "../parts/dom.js";
import { axes, text } from "../parts/plot.js";
import { columns, isLong, MOVE, pieceClass, SIDES, wholeAt } from "./advantage_path_picture.js";

const HEIGHT = 190;

/** The advantage as one bar taken apart: a piece under the arrow of each TD error that is left to come, as long as the
 *  arrow times its weight; each piece begins where the last one ended, and the whole stands at the right. */
export function sumPicture(steps) {
  const box = { ...SIDES, top: 12, bottom: 28 };
  const plot = axes({ ...columns(steps), y: [-1.4, 1.4], yticks: [0], height: HEIGHT, box });
  plot.node.setAttribute("role", "img");
  plot.node.append(text([0, HEIGHT - 6], "(γλ)ᵏ", { "text-anchor": "start" }));
  const limits = [1, -1].map((sign) => {
    const node = text([SIDES.left - 7, plot.py(sign) + 4], "", {
      "text-anchor": "end",
      class: "live-label live-limit",
    });
    plot.node.append(node);
    return node;
  });
  const places = Array.from({ length: steps }, (_, t) => plot.px(t + MOVE));
  const [end, width] = [plot.px(wholeAt(steps)), Math.min(38, 0.44 * (plot.px(1) - plot.px(0)))];
  const pieces = places.map((x, t) => pieceOf(plot, x, places[t + 1] ?? end, width, { "data-step": t }));
  const whole = pieceOf(plot, end, end, width, { class: "live-whole" });
  return {
    node: plot.node,
    put(path) {
      const most = limitOf(path);
      limits.forEach((node, i) => {
        node.textContent = show(i ? -most : most);
      });
      putPieces(pieces, whole, path, most);
      const words = path.now === steps ? "nothing is left to add up" : `advantage of step ${path.now} as a sum`;
      plot.node.setAttribute("aria-label", words);
    },
  };
}

function putPieces(pieces, whole, { now, weights, deltas, advantages }, most) {
  const long = isLong(deltas.length);
  let level = 0;
  pieces.forEach((piece, t) => {
    const value = weights[t] === null ? 0 : weights[t] * deltas[t];
    piece({
      from: level / most,
      by: value / most,
      words: long ? "" : show(value, 2),
      below: `${long ? "" : "×"}${show(weights[t] ?? 0, 2)}`,
      on: t >= now,
    });
    level += value;
  });
  const value = advantages[now] ?? 0;
  whole({ from: 0, by: value / most, words: show(value, 2), below: "Â", on: now < pieces.length });
}

/** A piece of the bar around `x`, with its number, a line on to the piece at `next`, and words below. */
function pieceOf(plot, x, next, width, attrs) {
  const bar = svg("rect", { x: x - width / 2, width, height: 1, ...attrs });
  const on = svg("path", { d: `M${x - width / 2} 0H${Math.max(x, next - width) + width / 2}`, class: "live-way" });
  const [number, below] = [text([x, 0], ""), text([x, HEIGHT - 6], "")];
  const all = svg("g", { class: "live-piece" }, on, bar, number, below);
  plot.node.append(all);
  return (piece) => {
    const [start, end] = [plot.py(piece.from), plot.py(piece.from + piece.by)];
    if (!attrs.class) bar.setAttribute("class", pieceClass(piece.by, false));
    shift(bar, start, end - start);
    shift(on, end);
    // away from zero, so that the line does not run through it
    shift(number, start + end > 2 * plot.py(0) + 1 ? Math.max(start, end) + 16 : Math.min(start, end) - 5);
    [number.textContent, below.textContent] = [piece.words, piece.below];
    all.style.opacity = piece.on ? 1 : 0;
  };
}

function shift(node, y, scale = 1) {
  node.style.transform = `translate(0px, ${y.toFixed(2)}px) scale(1, ${scale.toFixed(3)})`;
}

/** The end of the scale: room for every sum on the way, at any step and any λ. */
function limitOf({ gamma, deltas }) {
  const sums = deltas.flatMap((_, t) => deltas.slice(t).map((_, k) => partial(deltas, t, k, gamma)));
  const most = Math.max(...sums.map(Math.abs));
  return [1, 2, 5, 10, 20, 50, 100].find((limit) => limit >= most) ?? 200;
}

const partial = (deltas, t, k, gamma) => deltas.slice(t, t + k + 1).reduce((sum, d, i) => sum + gamma ** i * d, 0);
