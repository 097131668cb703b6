// What is said beside the policies' answers.
import { show } from "../parts/dom.js";

export const hint = (priced) =>
  priced
    ? "Roll the dice: three policies answer the same prompt with the same dice. Then turn the price."
    : "Roll the dice: the model answers the same prompt with the same dice, as it was and as it is now.";

/** Who has written the text that is worth most, unless something has to be said about the models. */
export function sentence({ busy, problem, asleep, size, ...said }) {
  if (problem) return problem;
  if (busy && asleep) return `Waking the models: ${size}, once …`;
  return asleep ? `${verdict(said)} The first roll wakes the models (${size}).` : verdict(said);
}

function verdict({ priced, beta, best, worth }) {
  const price = beta ? `At a price of ${show(beta, 2)} a nat` : "Without a price";
  const points = `${show(worth, 2)}${priced ? "" : " points"}`;
  if (best.length > 1) return `${priced ? price : "By the count"} the framed texts are worth the same: ${points}.`;
  return priced
    ? `${price} “${best[0]}” has written the text that is worth most: ${points}.`
    : `By the count the best text is that of “${best[0]}”: ${points}.`;
}
