// What the advantage path says: sums in words and numbers, and the table of all its numbers.
import { html, show } from "../parts/dom.js";

/** A number in the foot of a letter, as in Â₀. */
export const subscript = (t) => String(t).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);

const two = (value) => show(value, 2);
const factor = (value) => (two(value).startsWith("−") ? `(${two(value)})` : two(value));
const rounded = (value) => Math.abs(value - Math.round(100 * value) / 100) > 1e-9;

/** The advantage of the walker's step as a sum whose terms have the colours of what they stand for. */
export function advantageTerms({ now, weights, deltas, advantages }) {
  if (now === deltas.length) return ["Nothing is left to add up: no step follows."];
  const term = (words, cls, attrs = {}) => html("span", { class: cls, ...attrs }, words);
  const terms = deltas.slice(now).map((delta, k) => {
    const words = k ? `${two(weights[now + k])}·${factor(delta)}` : two(delta);
    return term(words, "live-term", { "data-step": now + k });
  });
  const sum = terms.flatMap((node, k) => (k ? [" + ", node] : [node]));
  const equals = [...weights.slice(now), ...deltas.slice(now)].some(rounded) ? "≈" : "=";
  const names = term(`Â${subscript(now)}`, "live-sum");
  return [names, " = ", ...sum, ` ${equals} `, term(two(advantages[now]), "live-sum")];
}

/** The TD error of the walker's step in words; after the last step, how the path ended. */
export function wordsOf(path) {
  const { rewards, values, lastValue, gamma, now, deltas } = path;
  if (now === rewards.length) return endOf(path);
  const next = values[now + 1] ?? lastValue;
  const last = now === rewards.length - 1;
  const where = !last ? `to a state worth ${two(next)}` : lastValue ? `to the cut, worth ${two(next)}` : "to the end";
  const sum = `${two(rewards[now])} + ${two(gamma)}·${factor(next)} − ${factor(values[now])}`;
  const delta = deltas[now];
  const news =
    Math.abs(delta) < 1e-9 ? "just as the critic said" : delta > 0 ? "better than it said" : "worse than it said";
  const lead = `Step ${now}: the critic said ${two(values[now])}. The move paid ${two(rewards[now])} and led ${where}.`;
  return `${lead} δ${subscript(now)} = ${sum} = ${two(delta)}: ${news}.`;
}

function endOf({ rewards, lastValue, gamma }) {
  const points = rewards.reduce((sum, r, k) => sum + gamma ** k * r, 0);
  const end = lastValue
    ? `Cut off here: the critic’s value ${two(lastValue)} stands for what would have followed.`
    : "The walk has ended: nothing follows.";
  return `${end} Its rewards, from the start and with γ = ${two(gamma)}, add up to ${two(points)}.`;
}

/** Every number of the path, a column for each step. */
export function numbersTable({ rewards, values, deltas, weights, advantages, returns, now }) {
  const cell = (v, t) => html("td", t === now ? { class: "live-now" } : {}, v === null ? "" : two(v));
  const row = (name, numbers, cls = "") =>
    html("tr", { class: cls }, html("th", { scope: "row" }, name), ...numbers.map(cell));
  const rows = [
    row(
      "step t",
      rewards.map((_, t) => t),
    ),
    row("reward r", rewards),
    row("value V", values),
    row("TD error δ", deltas),
    row("weight (γλ)ᵏ", weights),
    row("advantage Â", advantages, "live-strong"),
    row("target Â + V", returns),
  ];
  return html("table", { class: "live-table" }, html("tbody", {}, ...rows));
}
