// Advantages of one path, as ppo_helpers.experience.gae computes them: the tests hold the two equal.

/** TD errors δ, advantages Â and the critic's targets Â + V of a path; `lastValue` is that of the state after it. */
export function gae(rewards, values, lastValue, gamma, lam) {
  const deltas = rewards.map((r, t) => r + gamma * (values[t + 1] ?? lastValue) - values[t]);
  const advantages = new Array(rewards.length);
  let carry = 0;
  for (let t = rewards.length - 1; t >= 0; t--) {
    carry = deltas[t] + gamma * lam * carry;
    advantages[t] = carry;
  }
  return { deltas, advantages, returns: advantages.map((a, t) => a + values[t]) };
}

/** What each TD error counts in the advantage of step `now`: (γλ)ᵏ k steps ahead, null behind it. */
export const weightsOf = (steps, now, gamma, lam) =>
  Array.from({ length: steps }, (_, t) => (t < now ? null : (gamma * lam) ** (t - now)));
