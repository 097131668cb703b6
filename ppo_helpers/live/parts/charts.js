// What stands around grids that are trained: curves over the training, and the histogram of the ratios.
import { show, svg } from "./dom.js";
import { under } from "./grips.js";
import { axes, roundTicks, text } from "./plot.js";

const SIDE = 24; // beside the histogram: half a label

/** Two curves at most, and a rule where the reader is; pressing, or drawing sideways, calls `onscrub` with the x
 *  there. */
export function curvePlot({ x, y, count, label, onscrub, ...look }) {
  const plot = axes({ x, y, xticks: roundTicks(...x, 5), yticks: roundTicks(...y, 4), ...look });
  const numbers = Array.from({ length: count }, (_, i) => i);
  const lines = numbers.map((i) => plot.line(`live-curve-${i}`));
  const marker = svg("path", { class: "live-marker" });
  const ends = numbers.map((i) => svg("circle", { r: 5, class: `live-tip live-curve-${i}` }));
  plot.node.append(marker, ...ends);
  plot.node.setAttribute("role", "img");
  plot.node.setAttribute("aria-label", label);
  scrubbing(plot, onscrub);
  return {
    ...plot,
    /** The curves, as lists of points. */
    put(curves) {
      curves.forEach((points, i) => {
        lines[i](points);
      });
    },
    /** Where the reader is, and the values of the curves there: none where it is no number. */
    mark(at, values) {
      marker.setAttribute("d", `M${plot.px(at).toFixed(1)} ${plot.py(y[1])}V${plot.py(y[0])}`);
      ends.forEach((end, i) => {
        end.setAttribute("visibility", Number.isFinite(values[i]) ? "visible" : "hidden");
        end.setAttribute("cx", plot.px(at).toFixed(1));
        end.setAttribute("cy", plot.py(values[i] || 0).toFixed(1));
      });
    },
  };
}

/** A mouse goes where it is pressed and drawn. So does a finger that taps or moves sideways; one that scrolls the page
 *  does not. */
function scrubbing(plot, onscrub) {
  const { node } = plot;
  let from = null; // where the pointer was put down
  let held = false;
  const go = (event) => onscrub(under(plot, "x", event));
  const hold = (event) => {
    held = true;
    node.setPointerCapture(event.pointerId);
  };
  const release = () => {
    from = null;
    held = false;
  };
  node.classList.add("live-scrub");
  node.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    from = event;
    if (event.pointerType !== "mouse") return; // a finger shows only later what it wants
    event.preventDefault(); // no text is marked
    hold(event);
    go(event);
  });
  node.addEventListener("pointermove", (event) => {
    if (from && !held && sideways(from, event)) hold(event);
    if (held) go(event);
  });
  node.addEventListener("pointerup", (event) => {
    if (from && !held && away(from, event) < 10) go(event); // a tap
    release();
  });
  node.addEventListener("pointercancel", release); // the page scrolls
}

const away = (from, to) => Math.hypot(to.clientX - from.clientX, to.clientY - from.clientY);

function sideways(from, to) {
  const across = Math.abs(to.clientX - from.clientX);
  return across > 6 && across > Math.abs(to.clientY - from.clientY);
}

/** Which of these numbers is nearest: what was kept there is shown. */
export function nearest(numbers, at) {
  const away = numbers.map((v) => Math.abs(v - at));
  return away.indexOf(Math.min(...away));
}

/** Counts of the ratio by bin, as shares of all; heights are square roots of the shares, so that rare ones are seen. */
export function ratioBars(edges, eps, cls) {
  const [width, height, base] = [280, 132, 84];
  const px = ratioScale(edges, SIDE, width - SIDE);
  const band = [1 - eps, 1 + eps].map((v) => px(Math.max(edges[0], Math.min(edges.at(-1), v))));
  const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "live-plot live-ratios", role: "img" });
  node.append(svg("rect", { x: band[0], width: band[1] - band[0], y: 6, height: base - 6, class: "live-band" }));
  const bars = edges.slice(1).map((edge, i) => {
    const size = Math.max(1, px(edge) - px(edges[i]) - 1);
    return svg("rect", { x: px(edges[i]) + 0.5, width: size, class: cls });
  });
  const sides = band.map((x) => svg("path", { d: `M${x} 6V${base}`, class: "live-edge" }));
  const ticks = ratioTicks(edges).map((v) => text([px(v), base + 20], show(v, 2)));
  const axis = svg("path", { d: `M${SIDE} ${base}H${width - SIDE}`, class: "live-zero" });
  node.append(...bars, axis, ...sides, ...ticks, text([width / 2, height - 4], "ratio after the update"));
  return { node, put: ({ counts, outside }) => raise(node, bars, counts, base, sayOutside(outside, eps)) };
}

function raise(node, bars, counts, base, words) {
  const shares = counts.map((count) => count / (counts.reduce((sum, v) => sum + v, 0) || 1));
  bars.forEach((bar, i) => {
    const size = (base - 8) * Math.sqrt(shares[i]);
    bar.setAttribute("y", (base - size).toFixed(1));
    bar.setAttribute("height", size.toFixed(1));
  });
  node.setAttribute("aria-label", words);
}

/** Which share lies outside the band; null if there are no ratios yet. */
export function sayOutside(outside, eps) {
  if (outside === null) return "ratios after the update: none yet";
  const band = `${show(1 - eps, 2)} to ${show(1 + eps, 2)}`;
  return `ratios after the update: ${show(100 * outside, 0)} % outside the band of ${band}`;
}

/** Are the bins evenly wide on a log scale? Then the last one is wider than the first. */
export const isLog = (edges) => edges[0] > 0 && edges.at(-1) - edges.at(-2) > 1.2 * (edges[1] - edges[0]);

function ratioScale(edges, left, right) {
  const scale = isLog(edges) ? Math.log : Number;
  const [low, high] = [edges[0], edges.at(-1)].map(scale);
  return (v) => left + ((scale(v) - low) / (high - low)) * (right - left);
}

/** Halves and doubles on a log scale, or tens where there would be too many of them. */
export function ratioTicks(edges) {
  const [low, high] = [edges[0], edges.at(-1)];
  if (!isLog(edges)) return roundTicks(low, high, 4);
  const powers = [2, 10].map((base) => Array.from({ length: 13 }, (_, i) => base ** (i - 6)));
  const inside = powers.map((all) => all.filter((v) => v >= low * 0.999 && v <= high * 1.001));
  return inside[0].length <= 5 ? inside[0] : inside[1];
}
