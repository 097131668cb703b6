// A flag on a curve: here something happened.
import { svg } from "./dom.js";

/** At the point (x, y) of a plot whose x axis ends at `end`; number i of several flags stands a little lower. */
export function flagAt(plot, [x, y], end, words, i = 0) {
  const [left, foot] = [plot.px(x), plot.py(y)];
  const top = Math.max(46, foot - 60) + 24 * i;
  const back = x > end / 2; // there the words stand at its left
  const place = [left + (back ? -8 : 24), top + 12];
  const text = plot.text(place, words, { "text-anchor": back ? "end" : "start" });
  return svg("g", { class: "live-flag" }, svg("path", { d: `M${left} ${foot}V${top}l18 7l-18 7` }), text);
}
