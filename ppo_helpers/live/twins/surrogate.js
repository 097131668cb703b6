// The objectives of chapters 5 and 6 for one sample, and their gradients: the tests hold them equal to torch's
// autograd.
export function softmax(logits) {
  const top = Math.max(...logits);
  const powers = logits.map((v) => Math.exp(v - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((v) => v / sum);
}

function logSoftmax(logits) {
  const top = Math.max(...logits);
  const norm = top + Math.log(logits.reduce((sum, v) => sum + Math.exp(v - top), 0));
  return logits.map((v) => v - norm);
}

/** π_θ(a) / π_old(a), from log-probabilities as the training code does. */
export const probabilityRatio = (logits, oldLogits, action) =>
  Math.exp(logSoftmax(logits)[action] - logSoftmax(oldLogits)[action]);

/** ∇ A · log π_θ(a) with respect to the logits: A · (1[a = j] − π_θ(j)). */
export const policyGradient = (logits, action, advantage) =>
  softmax(logits).map((p, j) => advantage * ((j === action ? 1 : 0) - p));

/** ∇ ratio · A with respect to the logits: the same, times the ratio. */
export function surrogateGradient(logits, oldLogits, action, advantage) {
  const ratio = probabilityRatio(logits, oldLogits, action);
  return policyGradient(logits, action, advantage).map((g) => ratio * g);
}

/** The logits after one step up the gradient of ratio · A, each of them kept within ± `limit`. */
export const climbed = (logits, oldLogits, action, advantage, rate, limit) =>
  surrogateGradient(logits, oldLogits, action, advantage).map((g, j) => within(logits[j] + rate * g, -limit, limit));

/** The logits with that of move `j` set so that its probability is `p`, as far as ± `limit` allows; the others stay. */
export function withProbability(logits, j, p, limit) {
  const others = logits.filter((_, i) => i !== j);
  const top = Math.max(...others);
  const rest = top + Math.log(others.reduce((sum, v) => sum + Math.exp(v - top), 0));
  const logit = within(Math.log(p / (1 - p)) + rest, -limit, limit);
  return logits.map((v, i) => (i === j ? logit : v));
}

const within = (v, low, high) => Math.min(Math.max(v, low), high);

export const clip = (ratio, eps) => within(ratio, 1 - eps, 1 + eps);

/** min(r · A, clip(r, 1 − ε, 1 + ε) · A). */
export const clippedSurrogate = (ratio, advantage, eps) => Math.min(ratio * advantage, clip(ratio, eps) * advantage);

/** Is the objective flat here? Only where the minimum is the clipped term: beyond the edge that the sign of A points
 *  to. */
export const isFlat = (ratio, advantage, eps) => (advantage > 0 ? ratio > 1 + eps : ratio < 1 - eps);

/** dL/dr. At the edges themselves it is A, as in torch: min shares the gradient between two equal terms, half each, and
 *  clamp passes its half on at its bounds. */
export const clippedGradient = (ratio, advantage, eps) => (isFlat(ratio, advantage, eps) ? 0 : advantage);
