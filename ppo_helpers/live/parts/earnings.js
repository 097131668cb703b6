// A response as PPO sees it: what each of its tokens earns, as a colour.
import { valueColor } from "./colors.js";
import { html, unseen } from "./dom.js";

/** What a token earns: −β times its KL, and what it adds to the score of the text. Without `rewards` the last one adds
 *  all of it. */
export function tokenRewards({ kl, score, beta, rewards }) {
  const atTheEnd = (t) => (t === kl.length - 1 ? score : 0);
  return kl.map((v, t) => (rewards ? rewards[t] : atTheEnd(t)) - beta * v);
}

/** Full colour at one reward point; terracotta below 0, sand at 0, teal above. */
export const earned = (reward) => valueColor(5 * reward);

/** A response, each token coloured by what it earns. */
export function response(text) {
  const rewards = tokenRewards(text);
  const words = text.pieces.map((piece, t) => token(piece, rewards[t]));
  return html("p", { class: "live-rlhf-words" }, ...words);
}

const END = /^<\|.*\|>$/; // the token that ends a text

function token(piece, reward) {
  const ends = END.test(piece);
  const look = {
    class: ends ? "live-rlhf-token live-rlhf-end" : "live-rlhf-token",
    style: `background-color: ${earned(reward)}`,
  };
  const kids = ends ? [html("span", { "aria-hidden": "true" }, "■"), unseen("end")] : [piece];
  return html("span", look, ...kids);
}

/** What the colours of tokens mean. */
export function rewardKey() {
  const fade = `background: linear-gradient(to right, ${[-1, -0.5, 0, 0.5, 1].map(earned).join(", ")})`;
  const ramp = html("span", { class: "live-rlhf-ramp", "aria-hidden": "true", style: fade });
  const item = html("span", { class: "live-item" }, "a token earns −1", ramp, "1");
  return html("p", { class: "live-legend" }, item, html("span", { class: "live-item" }, "■ end of the text"));
}
