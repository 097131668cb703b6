// What walks earn: how often which points, exactly and as they come in.
import { show, svg } from "./dom.js";
import { axes, roundTicks, text } from "./plot.js";

const FEWEST = 9; // bins, so that a single bar is not as wide as the plot
const BOX = { left: 40, right: 8, top: 48, bottom: 40 };

/** Bins for `outcomes`, pairs of points and probability: equally wide, leftwards from `edge`, the last one, if `tail`,
 *  for all that is below. `unit` is what the points of walks differ by, 0 if by anything: a bin then holds a whole
 *  number of units, an even one if several, since ways to the same place differ by an even number of moves. */
export function binsOf(outcomes, unit) {
  const sorted = [...outcomes].sort(([a], [b]) => b - a);
  const high = quantile(sorted, 0.0005);
  const low = quantile(sorted, 0.97);
  const width = widthOf(high - low, unit);
  const margin = (unit || width) / 2;
  const wanted = Math.floor((high + margin - low) / width) + 1;
  const spare = Math.max(0, Math.ceil((FEWEST - wanted) / 2));
  const bins = { edge: high + margin + spare * width, width, count: wanted + 2 * spare };
  bins.tail = sorted.some(([points]) => points < bins.edge - bins.count * width);
  if (bins.tail) bins.count += 1;
  bins.shares = counted(bins, outcomes);
  return bins;
}

function quantile(sorted, share) {
  let sum = 0;
  const reached = sorted.find(([, p]) => {
    sum += p;
    return sum >= share;
  });
  return (reached ?? sorted.at(-1))[0];
}

function widthOf(range, unit) {
  if (range === 0) return unit || 1;
  if (!unit) return range / 20;
  return range <= 24 * unit ? unit : 2 * unit * Math.ceil(range / (2 * unit * 20));
}

/** How much of `pairs` [points, weight] falls into each bin. */
export function counted({ edge, width, count }, pairs) {
  const sums = new Array(count).fill(0);
  for (const [points, weight] of pairs) {
    const k = Math.floor((edge - points) / width + 1e-9); // on an edge: to its left, whatever the last digit
    sums[Math.max(0, Math.min(count - 1, k))] += weight;
  }
  return sums;
}

/** The plot of a distribution: an outline of what is exact, a line at its mean, and bars that `fill` draws. */
export function returnsPlot(bins, expected) {
  const least = bins.edge - bins.count * bins.width;
  const x = [least, bins.edge];
  const most = 125 * Math.max(...bins.shares);
  // beside the word "less", or the 0 of the other axis
  const firstTick = least + (bins.tail ? 0.27 : 0.09) * (x[1] - least);
  const ticks = { xticks: roundTicks(firstTick, x[1], 5), yticks: roundTicks(0, most, 2) };
  const labels = { xlabel: "points of a walk", ylabel: "walks in 100" };
  const plot = axes({ x, y: [0, most], ...ticks, ...labels, width: 256, height: 194, box: BOX });
  plot.node.classList.add("live-returns");
  const bars = svg("path", { class: "live-bars" });
  plot.node.append(bars, outline(plot, bins));
  if (bins.tail) plot.node.append(text([BOX.left, 171], "less", { "text-anchor": "start" }));
  plot.node.append(...meanLine(plot, x, expected));
  return { node: plot.node, fill: (totals) => bars.setAttribute("d", barsOf(plot, bins, most, totals)) };
}

const edgeOf = ({ edge, width }, k) => edge - k * width; // the right one of bin k

function outline({ px, py }, bins) {
  const steps = bins.shares.map((share, k) => `V${py(100 * share).toFixed(1)}H${px(edgeOf(bins, k + 1)).toFixed(1)}`);
  return svg("path", {
    class: "live-exact",
    d: `M${px(edgeOf(bins, 0)).toFixed(1)} ${py(0)}${steps.join("")}V${py(0)}`,
  });
}

function barsOf({ px, py }, bins, most, totals) {
  const per = 100 / Math.max(100, totals.length);
  const counts = counted(
    bins,
    totals.map((points) => [points, per]),
  );
  const bar = (count, k) => {
    const [left, right] = [px(edgeOf(bins, k + 1)), px(edgeOf(bins, k))];
    return `M${left.toFixed(1)} ${py(0)}V${py(Math.min(count, most)).toFixed(1)}H${right.toFixed(1)}V${py(0)}Z`;
  };
  return counts.map((count, k) => (count ? bar(count, k) : "")).join("");
}

/** A line at the exact mean with its number; an arrowhead at the edge if it is far out. */
function meanLine({ px, py }, [least, most], expected) {
  const inside = expected >= least && expected <= most;
  const at = px(Math.max(least, Math.min(most, expected)));
  const anchor = at > 128 ? "end" : "start";
  const words = `${inside ? "" : "◂ "}expected ${show(expected, 2)}`;
  const line = inside ? [svg("path", { class: "live-mean", d: `M${at.toFixed(1)} ${py(0)}V42` })] : [];
  return [...line, text([at + (anchor === "end" ? 3 : -3), 36], words, { "text-anchor": anchor })];
}
