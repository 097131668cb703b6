// What the clip explorer says: its legend, sentences, and the two products with their minimum.
import { fine, html, show } from "../parts/dom.js";
import { clip, clippedGradient, clippedSurrogate, isFlat } from "../twins/surrogate.js";

export const END = 2.2; // of the axis, as in clip_explorer.py

export const LEGEND = [
  ["live-key-objective", "objective: the smaller one"],
  ["live-key-dead", "flat: gradient 0"],
  ["live-key-free", "ρ · A, no clip"],
  ["live-key-plain", "clip(ρ) · A, without the min"],
  ["live-key-gradient", "gradient: where ρ is pushed"],
];

/** One of the six cases in a few words. */
export const caseWords = (sign, flat) => `A ${sign > 0 ? ">" : "<"} 0: ${flat ? "flat" : sign > 0 ? "up" : "down"}`;

/** The sample for both signs of its advantage, in words. */
export function sentence({ r, eps, plain }) {
  const place = r > 1 + eps ? "above the band" : r < 1 - eps ? "below the band" : "inside the band";
  const [good, bad] = [1, -1].map((sign) => isFlat(r, sign, eps));
  const lead = `ρ = ${show(r, 2)}, ${place}.`;
  if (plain && (good || bad)) {
    return `${lead} Without the min both would be flat: the ${good ? "bad" : "good"} move could never come back.`;
  }
  if (good) return `${lead} A good move has got what it wanted: no push. A bad one is still pushed down, in full.`;
  if (bad) return `${lead} A bad move has got what it wanted: no push. A good one is still pushed up, in full.`;
  return `${lead} A good move is pushed up, a bad one down.`;
}

/** How many samples of the batch still push, counted. */
export function batchSentence(batch, eps) {
  if (!batch.length) return "";
  const dead = (sign) => batch.filter(([ratio, way]) => way === sign && isFlat(ratio, sign, eps)).length;
  const [good, bad] = [dead(1), dead(-1)];
  const share = Math.round((100 * (good + bad)) / batch.length);
  const parts = `of the good, ${good} above ${show(1 + eps, 2)}; of the bad, ${bad} below ${show(1 - eps, 2)}`;
  const off = batch.some(([ratio]) => ratio > END) ? " What lies off the axis stands in the last bar." : "";
  const batched = `Under the curves a real batch of ${batch.length} moves: ${share} % push no more (${parts}).`;
  return `${batched} Bars grow with the square root of the count.${off}`;
}

/** ρ · A, clip(ρ) · A, the smaller of both, and its gradient, for both signs. */
export function productsTable({ r, size, eps }) {
  const both = [size, -size];
  const cell = (v, strong) => html("td", strong ? { class: "live-smaller" } : {}, fine(v));
  const row = (name, numbers, marks = []) =>
    html("tr", {}, html("th", { scope: "row" }, name), ...numbers.map((v, i) => cell(v, marks[i])));
  const [free, clipped] = [both.map((A) => r * A), both.map((A) => clip(r, eps) * A)];
  const head = ["A > 0", "A < 0"].map((words) => html("th", { scope: "col" }, words));
  const rows = [
    row(
      "ρ · A",
      free,
      free.map((v, i) => v <= clipped[i]),
    ),
    row(
      "clip(ρ) · A",
      clipped,
      clipped.map((v, i) => v < free[i]),
    ),
    row(
      "minimum",
      both.map((A) => clippedSurrogate(r, A, eps)),
    ),
    row(
      "gradient dJ/dρ",
      both.map((A) => clippedGradient(r, A, eps)),
    ),
  ];
  const top = html("thead", {}, html("tr", {}, html("th", { scope: "col" }, `ρ = ${show(r, 2)}`), ...head));
  return html("table", { class: "live-table live-products" }, top, html("tbody", {}, ...rows));
}
