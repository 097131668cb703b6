// What is said beside the policies' answers.
import { show } from "../parts/dom.js";

export const hint = (priced) =>
  priced
    ? "Roll the dice: three policies answer the same prompt with the same dice. Then turn the price."
    : "Roll the dice: the model answers the same prompt with the same dice, as it was and as it is now.";

/** Who has written the text that is worth most, unless something has to be said about the models. */
export function sentence({ priced, beta, name, worth, busy, problem, asleep, size }) {
  if (problem) return problem;
  if (busy && asleep) return `Waking the models: ${size}, once …`;
  const price = beta ? `At a price of ${show(beta, 2)} a nat` : "Without a price";
  const most = priced
    ? `${price} “${name}” has written the text that is worth most: ${show(worth, 2)}.`
    : `The reader likes the text of “${name}” best: ${show(worth, 2)} points.`;
  return asleep ? `${most} The first roll wakes the models (${size}).` : most;
}
