// What a policy has answered: its tokens by what they earn, and what the text is worth.
import { facts } from "../parts/controls.js";
import { html, show } from "../parts/dom.js";
import { response } from "../parts/earnings.js";

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

/** What PPO climbs: the reward model's score, less the price of the KL. */
export const worthOf = ({ score, kl }, beta) => score - beta * sum(kl);

/** A policy's name, its response, and the sum below it. */
export function answerCard(name, priced) {
  const text = html("div");
  const numbers = facts();
  const node = html("section", { class: "live-answer", "aria-label": name }, html("b", {}, name), text, numbers.node);
  function put(said, beta, best) {
    text.replaceChildren(response({ ...said, beta }));
    const worth = [["reward − β · KL", show(worthOf(said, beta), 2)]];
    numbers.put([
      [priced ? "reward" : "points", show(said.score, 2)],
      ["KL, nats", show(sum(said.kl), 2)],
      ...(priced ? worth : []),
    ]);
    node.classList.toggle("live-answer-best", best);
  }
  return { node, put };
}
