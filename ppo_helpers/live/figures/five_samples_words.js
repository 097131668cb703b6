// The numbers of the samples, and how they are written.
import { show } from "../parts/dom.js";
import { clip, clippedSurrogate, isFlat } from "../twins/surrogate.js";

/** What a step down the loss does to a sample's own log-probability: ρA / N, or nothing. */
export const pushOf = (ratio, advantage, eps, count) =>
  isFlat(ratio, advantage, eps) ? 0 : (ratio * advantage) / count;

export function pushWords(push) {
  if (push === 0) return "none";
  return `${push > 0 ? "↑ +" : "↓ "}${show(push, 3)}`;
}

const signed = (v, digits) => (v < 0 ? `(${show(v, digits)})` : show(v, digits));

/** min(1.72 · 0.8, 1.2 · 0.8) = 0.96; about that much, if what is shown does not give what is meant. */
export function minimum(ratio, advantage, eps) {
  const term = (r) => `${show(r, 2)} · ${signed(advantage, 2)}`;
  const [seen, meant] = [
    [rounded(ratio), rounded(advantage)],
    [ratio, advantage],
  ].map(([r, a]) => show(clippedSurrogate(r, a, eps), 4));
  return `min(${term(ratio)}, ${term(clip(ratio, eps))}) ${seen === meant ? "=" : "≈"} ${meant}`;
}

const rounded = (v, digits = 2) => Number(v.toFixed(digits));

/** The mean of the minima, and the loss. */
export function total(ratios, advantages, eps) {
  const each = ratios.map((ratio, i) => clippedSurrogate(ratio, advantages[i], eps));
  const sum = each.reduce((all, v) => all + v, 0);
  const terms = each.map((v, i) => (i ? `${v < 0 ? " − " : " + "}${show(Math.abs(v), 3)}` : show(v, 3))).join("");
  const mean = show(sum / each.length, 4);
  const seen = show(each.reduce((all, v) => all + rounded(v, 3), 0) / each.length, 4);
  const loss = show(-sum / each.length, 4);
  return `J = (${terms}) / ${each.length} ${seen === mean ? "=" : "≈"} ${mean}. The loss is ${loss}.`;
}

const RATE = 1;

/** The ratios after one step, none of them beyond `end`: every log-probability moves by its own push. */
export const stepped = (ratios, advantages, eps, end) =>
  ratios.map((ratio, i) => {
    const moved = ratio * Math.exp(RATE * pushOf(ratio, advantages[i], eps, ratios.length));
    return Math.min(end, +moved.toFixed(4));
  });
