// What each token of a text earns, as ppo_helpers.language.rewards.token_rewards computes it: the tests hold the two
// equal.

/** The price −β·(log π − log π of the reference) of every token, and at the last one the score of the text. */
export function tokenRewards(logRatios, score, beta) {
  const last = logRatios.length - 1;
  return logRatios.map((gained, t) => (t === last ? score : 0) - beta * gained);
}
