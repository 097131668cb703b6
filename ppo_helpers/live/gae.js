// Advantages of one path, as ppo_helpers.experience.gae computes them: the tests hold the two equal.
export function gae(rewards, values, lastValue, gamma, lam) {
  const deltas = rewards.map((r, t) => r + gamma * (values[t + 1] ?? lastValue) - values[t]);
  const advantages = new Array(rewards.length);
  let carry = 0;
  for (let t = rewards.length - 1; t >= 0; t--) advantages[t] = carry = deltas[t] + gamma * lam * carry;
  return { deltas, advantages, returns: advantages.map((a, t) => a + values[t]) };
}

const below = (t) => String(t).replace(/\d/g, (d) => "₀₁₂₃₄₅₆₇₈₉"[d]);

/** The TD error and the advantage of one step as sums, in words and numbers; after the last step, how the path ended. */
export function explain(rewards, values, lastValue, gamma, lam, t) {
  const { deltas, advantages } = gae(rewards, values, lastValue, gamma, lam), n = show(lastValue, 2);
  const factor = (v) => (show(v, 2).startsWith("−") ? `(${show(v, 2)})` : show(v, 2));
  if (t === rewards.length) {
    const points = show(rewards.reduce((sum, r, k) => sum + gamma ** k * r, 0), 2);
    return `From the start, the rewards add up to ${points} with discount ${show(gamma, 2)}.\n` +
      (lastValue ? `Cut off here: the critic’s value ${n} stands for what would have followed.` : "The walk has ended: nothing follows.");
  }
  const terms = deltas.slice(t).map((d, k) => (k ? `${show((gamma * lam) ** k, 2)}·${factor(d)}` : show(d, 2)));
  return `δ${below(t)} = ${show(rewards[t], 2)} + ${show(gamma, 2)}·${factor(values[t + 1] ?? lastValue)} − ${factor(values[t])} = ${show(deltas[t], 2)}\n` +
    `Â${below(t)} = ${terms.length > 1 ? terms.join(" + ") : `δ${below(t)}`} = ${show(advantages[t], 2)}`;
}
