// What the token advantages say of the chosen token: its reward, its TD error, and what comes back from later tokens.
import { show } from "../parts/dom.js";
import { visible } from "../parts/tokens.js";

const two = (value) => show(value, 2);
const minus = (value) => (two(value).startsWith("−") ? `(${two(value)})` : two(value));

/** The sum of the chosen token in words. */
export function wordsOf({ text, token, lam, rewards, values, deltas, advantages }) {
  const last = token === rewards.length - 1;
  const next = values[token + 1] ?? 0;
  const sum = `${two(rewards[token])} + ${minus(next)} − ${minus(values[token])}`;
  const own = `“${visible(text.pieces[token])}” earns ${two(rewards[token])}${earned(text, token, last)}.`;
  const delta = `δ = r + V after it − V before it = ${sum} ≈ ${two(deltas[token])}.`;
  if (last) return `${own} Nothing follows, so V after it is 0: ${delta} That is its advantage.`;
  const rest = advantages[token] - deltas[token];
  return `${own} ${delta} ${later(lam)} add ${two(rest)}: Â ≈ ${two(advantages[token])}.`;
}

function earned(text, token, last) {
  const gained = text.log_ratios[token];
  const price = `the price of ${two(Math.abs(gained))} nats ${gained < 0 ? "below" : "above"} the reference`;
  return last ? `, the score ${two(text.score)} and ${price}` : `, ${price}`;
}

/** How much later TD errors count. */
function later(lam) {
  if (lam === 0) return "With λ = 0 later δs";
  return lam === 1 ? "With λ = 1 all later δs, in full," : `Later δs, times ${two(lam)} per token back,`;
}
