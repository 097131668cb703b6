// What stands in a cell of the grid: coins and dragon, numbers, arrows.
import { show } from "./dom.js";
import ICONS from "./icons.json" with { type: "json" };

export const NAMES = { ".": "free", S: "start", "#": "barrier", M: "lots of money", m: "money", D: "dragon" };
export const MOVE_NAMES = ["up", "right", "down", "left"];

/** A reward with its sign. */
export const prize = (reward) => (reward > 0 ? "+" : "") + show(reward);

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** The drawing of a symbol in 100 × 100; the symbol itself where there is none. */
export const icon = (symbol) => ICONS[symbol] ?? `<text x="50" y="60" class="live-value">${escaped(symbol)}</text>`;

/** Triangles at the cell's edges; their area grows with the probability, and the rare ones are pale. */
export function arrows(row, largest) {
  const triangle = (p, turn) => {
    if (p < 0.005) return "";
    const size = Math.max(5, largest * Math.sqrt(p));
    const opacity = (0.35 + 0.65 * Math.sqrt(p)).toFixed(2);
    const [left, right, base] = [50 - size, 50 + size, 4 + size].map((v) => v.toFixed(1));
    const path = `M50 4 L${right} ${base} L${left} ${base}z`;
    return `<path d="${path}" transform="rotate(${90 * turn} 50 50)" class="live-arrow" opacity="${opacity}"/>`;
  };
  return row.map(triangle).join("");
}

/** The inside of one cell as SVG; arrows are larger where no number is written. */
export function cellPicture({ symbol, reward = null, words = null, policy = null, extra = "" }) {
  if (symbol === "#") return "";
  const drawing = reward === null ? "" : `<g transform="translate(9 -2) scale(.82)">${icon(symbol)}</g>`;
  const text = reward !== null ? `<text x="50" y="92" class="live-reward">${prize(reward)}</text>` : number(words);
  const moves = policy ? arrows(policy, words === null ? 17 : 13) : "";
  return `<svg viewBox="0 0 100 100" aria-hidden="true">${drawing}${moves} ${text}${extra}</svg>`;
}

const number = (words) => (words === null ? "" : `<text x="50" y="60" class="live-value">${words}</text>`);
