// Probabilities of the next token at a temperature, cut to the top k or not; twins of token_explorer.py.
const KEPT = 12; // candidates that are kept; a top-k beyond them means no cut

const logSumExp = (x) => { const most = Math.max(...x); return most + Math.log(x.reduce((sum, v) => sum + Math.exp(v - most), 0)); };

/** What the probabilities of a position are divided by, as a logarithm. Temperatures come in tenths. */
function normaliser(row, temperature, topK) {
  if (topK > KEPT) return row.totals[Math.round(10 * temperature) - 1];
  return logSumExp(row.logits.slice(0, topK).map((v) => v / temperature));
}

/** Log-probability of the token that really follows; −∞ if the cut leaves it out, null where nothing follows. */
function nextLogprob(row, temperature, topK) {
  if (row.real === null) return null;
  const rank = row.ids.indexOf(row.real), kept = topK > KEPT || (rank >= 0 && rank < topK);
  return kept ? row.score / temperature - normaliser(row, temperature, topK) : -Infinity;
}

/** Probabilities of the kept candidates, in their order. */
function candidates(row, temperature, topK) {
  const total = normaliser(row, temperature, topK);
  return row.logits.map((v, i) => (topK > KEPT || i < topK ? Math.exp(v / temperature - total) : 0));
}
