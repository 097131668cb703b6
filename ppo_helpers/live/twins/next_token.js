// What may come after a text: of all scores what the figures keep of a position, and draws from their softmax.
//
// Many tokens that the small model has never met share one row of its embedding and so one score: a score is worked
// on once, and counts as often as there are tokens.
import { KEPT, logSumExp } from "./softmax.js";

/** `rowOf[token]` is a token's row; `piece(token)` its text. `keep` gives a position as softmax.js wants it. */
export function nextToken(rowOf, piece) {
  const tokensOf = [];
  for (const [token, row] of rowOf.entries()) {
    tokensOf[row] ??= [];
    tokensOf[row].push(token);
  }

  /** The likeliest tokens, best first; of equal ones the earlier. */
  function likeliest(scores) {
    const rows = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a]);
    return rows
      .slice(0, KEPT)
      .flatMap((row) => tokensOf[row].slice(0, KEPT))
      .slice(0, KEPT);
  }
  function keep(scores) {
    const most = scores.reduce((a, b) => Math.max(a, b));
    const ids = likeliest(scores);
    const left = tokensOf.map((tokens) => tokens.length);
    for (const id of ids) left[rowOf[id]] -= 1;
    const others = (temperature) =>
      logSumExp(
        [...scores].flatMap((score, row) => (left[row] ? [Math.log(left[row]) + (score - most) / temperature] : [])),
      );
    const logits = ids.map((id) => scores[rowOf[id]] - most);
    const tenths = Array.from({ length: 20 }, (_, i) => (i + 1) / 10);
    return { ids, pieces: ids.map(piece), logits, real: null, score: null, others: tenths.map(others) };
  }
  /** A token, as often as its probability says; `random` gives numbers in [0, 1). */
  function draw(scores, temperature, topK, random) {
    const most = scores.reduce((a, b) => Math.max(a, b));
    if (topK <= KEPT) {
      const ids = likeliest(scores).slice(0, topK);
      const weights = ids.map((id) => Math.exp((scores[rowOf[id]] - most) / temperature));
      return ids[pick(weights, random)];
    }
    const weights = tokensOf.map(({ length }, i) => length * Math.exp((scores[i] - most) / temperature));
    const tokens = tokensOf[pick(weights, random)];
    return tokens[Math.floor(random() * tokens.length)];
  }
  /** log π of a token. */
  function logprob(scores, token) {
    const most = scores.reduce((a, b) => Math.max(a, b));
    const sum = tokensOf.reduce((total, { length }, i) => total + length * Math.exp(scores[i] - most), 0);
    return scores[rowOf[token]] - most - Math.log(sum);
  }
  return { keep, draw, logprob };
}

/** A place in a list of weights, as often as its weight says. */
export function pick(weights, random) {
  let left = random() * weights.reduce((a, b) => a + b, 0);
  for (const [place, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return place;
  }
  return weights.findLastIndex((weight) => weight > 0); // rounding can leave a gap at the end
}
