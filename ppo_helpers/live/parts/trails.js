// What is drawn above the cells while somebody walks: trails, walkers, and the ghost of the greedy one.
import { icon } from "./cells.js";
import { svg } from "./dom.js";

const SHARES = [0.7548776662, 0.5698402909]; // multiples of these spread evenly over a square, however many they are
const SPREAD = 46; // of a cell's 100

const middle = ([r, c]) => [100 * c + 50, 100 * r + 50];

/** From cell to neighbouring cell, (dx, dy) beside their middles. */
function way(cells, [dx, dy] = [0, 0]) {
  if (!cells.length) return "";
  const [x, y] = middle(cells[0]);
  const step = ([r, c], i) => (r === cells[i][0] ? `h${100 * (c - cells[i][1])}` : `v${100 * (r - cells[i][0])}`);
  return `M${Math.round(x + dx)} ${Math.round(y + dy)}${cells.slice(1).map(step).join("")}`;
}

/** How far beside the middle of the cells the trail of walk number i runs, so that trails do not hide each other. */
const beside = (i) => SHARES.map((share) => SPREAD * (((i * share) % 1) - 0.5));

/** Layers in `overlay`: the trails of earlier walks, the walk of now, who walks it, and who would walk greedily. */
export function trails(overlay) {
  const old = svg("g", { class: "live-trails" });
  const heads = svg("path", { class: "live-heads" });
  const shadow = svg("path", { class: "live-path live-greedy-path" });
  const path = svg("path", { class: "live-path" });
  const [ghost, walker] = ["live-walker live-greedy", "live-walker"].map((cls) => svg("g", { class: cls }));
  for (const who of [ghost, walker]) who.innerHTML = icon("walker");
  overlay.replaceChildren(old, heads, shadow, path, ghost, walker);
  return {
    /** `ways` are lists of cells; dots go ahead of those in `under` way. */
    crowd(ways, under) {
      old.replaceChildren(
        ...ways.map((cells, i) => svg("path", { d: way(cells, beside(i + 1)), class: "live-trail" })),
      );
      heads.setAttribute(
        "d",
        ways.map((cells, i) => (under(i) ? `${way(cells.slice(-1), beside(i + 1))}h0` : "")).join(""),
      );
    },
    /** One who walks visibly, at the end of its way, or nobody; `glide` is the time of a move in milliseconds. */
    alone: (cells, aside, glide) => stand(path, walker, cells, aside, glide),
    greedy: (cells, aside, glide) => stand(shadow, ghost, cells, aside, glide),
  };
}

function stand(path, who, cells, [dx, dy], glide) {
  who.setAttribute("visibility", cells.length ? "visible" : "hidden");
  path.setAttribute("d", way(cells));
  if (!cells.length) return;
  const [x, y] = middle(cells.at(-1));
  who.style.transition = glide ? `transform ${glide}ms ease-in-out` : "none";
  who.style.transform = `translate(${x - 50 + dx}px, ${y - 50 + dy}px)`;
}
