// Probabilities of the next token at a temperature, cut to the top k or not; twins of token_explorer.py.
//
// A row is one position of a sentence. It knows the `logits` of the likeliest tokens, best first, and the `score` of
// the token that really follows, all of them less the best one's, and for each temperature the logarithm of what is
// left for all `others` together. So the softmax is that of the whole vocabulary.
export const KEPT = 12; // candidates that are kept; a top-k beyond them means no cut

/** log(e^a + e^b + …). The largest one stands outside the sum: what the others add to it is never rounded away. */
export function logSumExp(x) {
  const most = Math.max(...x);
  const largest = x.indexOf(most);
  const sum = x.reduce((total, v, i) => (i === largest ? total : total + Math.exp(v - most)), 0);
  return most + Math.log1p(x.length > 1 ? Math.max(sum, Number.MIN_VALUE) : 0);
}

/** Where the token that really follows stands among the kept candidates; −1 if it does not. */
export const rankOf = (row) => row.ids.indexOf(row.real);

const leftOver = (row, temperature) => row.others[Math.round(10 * temperature) - 1]; // temperatures come in tenths

/** What the probabilities of a position are divided by, as a logarithm. */
export function normaliser(row, temperature, topK) {
  const kept = row.logits.slice(0, topK).map((v) => v / temperature);
  if (topK <= KEPT) return logSumExp(kept);
  const beyond = row.real === null || rankOf(row) >= 0 ? [] : [row.score / temperature];
  return logSumExp([...kept, ...beyond, leftOver(row, temperature)]);
}

/** Log-probability of the token that really follows; −∞ if the cut leaves it out, null where nothing follows. */
export function nextLogprob(row, temperature, topK) {
  if (row.real === null) return null;
  const kept = topK > KEPT || (rankOf(row) >= 0 && rankOf(row) < topK);
  return kept ? row.score / temperature - normaliser(row, temperature, topK) : -Infinity;
}

/** Log-probabilities of the kept candidates, in their order; −∞ for those that the cut leaves out. */
export function keptLogprobs(row, temperature, topK) {
  const total = normaliser(row, temperature, topK);
  return row.logits.map((v, i) => (i < topK ? v / temperature - total : -Infinity));
}

/** Their probabilities. */
export const candidates = (row, temperature, topK) => keptLogprobs(row, temperature, topK).map(probability);

/** What all other tokens have together: those that are neither kept nor the one that follows. */
export function restOf(row, temperature, topK) {
  const cut = topK <= KEPT;
  return probability(cut ? -Infinity : leftOver(row, temperature) - normaliser(row, temperature, topK));
}

/** e to it: 0 only if it is −∞ and 1 only if it is 0, for a softmax rules nothing out and nothing else in. */
export function probability(logprob) {
  if (logprob === -Infinity) return 0;
  const below = logprob < 0 ? 1 - Number.EPSILON / 2 : 1;
  return Math.min(Math.max(Math.exp(logprob), Number.MIN_VALUE), below);
}
