// Advantages of one path, as ppo_helpers.experience.gae computes them: the tests hold the two equal.
export function gae(rewards, values, lastValue, gamma, lam) {
  const deltas = rewards.map((r, t) => r + gamma * (values[t + 1] ?? lastValue) - values[t]);
  const advantages = new Array(rewards.length);
  let carry = 0;
  for (let t = rewards.length - 1; t >= 0; t--) advantages[t] = carry = deltas[t] + gamma * lam * carry;
  return { deltas, advantages, returns: advantages.map((a, t) => a + values[t]) };
}
