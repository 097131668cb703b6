// Every move of every cell on the axis of its ratio: a lane for each run.
import { svg } from "../parts/dom.js";
import { text } from "../parts/plot.js";

const [WIDTH, SIDE, LANE, TOP] = [540, 24, 86, 24];
const FAR = 16; // ratios are shown from 1/16 to 16; those beyond stand at the edge
const TICKS = [1 / 16, 1 / 4, 1, 4, 16];
const NAMES = ["1/16", "1/4", "1", "4", "16"];
const px = (ratio) => {
  const shown = Math.max(1 / FAR, Math.min(FAR, ratio));
  return WIDTH / 2 + ((WIDTH / 2 - SIDE) * Math.log(shown)) / Math.log(FAR);
};

/** A lane for each of `runs`, pairs of ε or null and what it is called. `put` takes the moves and each run's frame. */
export function lanesOf(clips, names) {
  const height = TOP + LANE * clips.length + 44;
  const node = svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, class: "live-plot live-lanes", role: "img" });
  const floor = TOP + LANE * clips.length;
  const rules = TICKS.flatMap((v, i) => [
    svg("path", { d: `M${px(v)} ${TOP}V${floor}`, class: v === 1 ? "live-zero" : "live-rule" }),
    text([px(v), floor + 16], NAMES[i]),
  ]);
  const lanes = clips.map((eps, i) => laneOf(eps, TOP + LANE * i, names[i]));
  node.append(...rules, text([WIDTH / 2, height - 4], "ratio"), ...lanes.map((lane) => lane.node));
  return {
    node,
    put(moves, frames, words) {
      node.setAttribute("aria-label", words);
      lanes.forEach((lane, i) => {
        lane.put(moves, frames[i].ratios);
      });
    },
  };
}

function laneOf(eps, top, name) {
  const side = eps === null ? "live-run-1" : "live-run-0";
  const band = eps === null ? null : [px(1 - eps), px(1 + eps)];
  const shade = band
    ? [svg("rect", { x: band[0], width: band[1] - band[0], y: top, height: LANE, class: "live-band" })]
    : [];
  const home = svg("g");
  const floor = svg("path", { d: `M${SIDE} ${top + LANE}H${WIDTH - SIDE}`, class: "live-zero" });
  const title = text([SIDE, top - 6 + (top === TOP ? 0 : 20)], name, { "text-anchor": "start" });
  return {
    node: svg("g", { class: side }, ...shade, floor, title, home),
    put(moves, ratios) {
      home.replaceChildren(...moves.map((move, n) => markOf(move, ratios[move.at], heightOf(n, moves.length, top))));
    },
  };
}

/** Marks one above the other, so that none hides another. */
const heightOf = (n, count, top) => top + 24 + ((LANE - 36) * ((n * 7) % count)) / Math.max(1, count - 1);

/** A move that was made is a disc, larger the more often, full if it was good on balance. A cross was never made. */
function markOf({ count, balance }, ratio, y) {
  const x = px(ratio);
  if (!count) return svg("path", { d: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8`, class: "live-untried" });
  const r = Math.min(11, 2.5 + 0.7 * Math.sqrt(count));
  return svg("circle", {
    cx: x.toFixed(1),
    cy: y.toFixed(1),
    r: r.toFixed(1),
    class: balance > 0 ? "live-good" : "live-bad",
  });
}
