// One sample: its ratio over the band, its advantage, its minimum in numbers, and its push.
import { html, svg } from "../parts/dom.js";
import { grip } from "../parts/grips.js";
import { text } from "../parts/plot.js";
import { minimum, pushOf, pushWords } from "./five_samples_words.js";

const [HEIGHT, SIDE, Y] = [44, 14, 24];

/** `ends` are those of the axes; `onmove(what, value)` is told what the reader drags: "ratios" or "advantages". */
export function rowOf(name, [end, size], onmove) {
  const ratio = axisOf("ρ", `ratio of ${name}`, [0, end], 1, (v) => onmove("ratios", v));
  const advantage = axisOf("A", `advantage of ${name}`, [-size, size], 0, (v) => onmove("advantages", v));
  const band = svg("rect", { y: 4, height: HEIGHT - 8, class: "live-band" });
  ratio.node.prepend(band);
  const [words, push] = [html("span", { class: "live-five-min" }), html("span", { class: "live-five-push" })];
  const parts = [html("span", { class: "live-five-name" }, name), ratio.node, advantage.node, words, push];
  return {
    node: html("div", { class: "live-five-row", role: "group", "aria-label": name }, ...parts),
    put(r, a, eps, count) {
      band.setAttribute("x", ratio.px(1 - eps));
      band.setAttribute("width", ratio.px(1 + eps) - ratio.px(1 - eps));
      const strength = pushOf(r, a, eps, count);
      ratio.put(r, pushWords(strength));
      advantage.put(a);
      words.textContent = minimum(r, a, eps);
      push.textContent = pushWords(strength);
      push.classList.toggle("live-five-none", strength === 0);
    },
  };
}

/** A line with a knob; a rule where nothing has changed yet, or nothing is better or worse. */
function axisOf(sign, label, [low, high], middle, onmove) {
  const width = 190;
  const px = (v) => SIDE + ((v - low) / (high - low)) * (width - 2 * SIDE);
  const node = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, class: "live-plot" });
  const line = svg("path", { d: `M${px(low)} ${Y}H${px(high)}`, class: "live-zero" });
  const rule = svg("path", { d: `M${px(middle)} ${Y - 12}v24`, class: "live-edge" });
  node.append(line, rule, text([1, 14], sign, { "text-anchor": "start" }));
  const parts = [svg("circle", { r: 22, class: "live-touch" }), svg("circle", { r: 9, class: "live-knob" })];
  const place = { along: "x", label, min: low, max: high, step: 0.01, page: 0.1, parts, onmove };
  const put = grip({ node, px }, place);
  return {
    node,
    px,
    put: (v, said) => put(v, px(Math.max(low, Math.min(high, v))), Y, said ? `${v}, push ${said}` : String(v)),
  };
}
