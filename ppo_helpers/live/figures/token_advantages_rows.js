// The rows of the token advantages: a token, and beside it bars for its reward, its value and its advantage, on one
// scale.
import { valueColor } from "../parts/colors.js";
import { html, show, unseen } from "../parts/dom.js";
import { tokenChip } from "../parts/tokens.js";
import { gae } from "../twins/gae.js";
import { tokenRewards } from "../twins/token_rewards.js";

const HEADS = ["token", "reward r", "value V", "advantage Â"];

/** The frame: column heads, the prompt, and room for rows. */
export function tokenTable() {
  const heads = HEADS.map((words) => html("span", {}, words));
  const prompt = html("p", { class: "live-worth-prompt" });
  const rows = html("div", { class: "live-worth-rows", role: "group", "aria-label": "tokens" });
  const node = html("div", {}, prompt, html("div", { class: "live-worth-row live-worth-head" }, ...heads), rows);
  function begin(words, nodes) {
    prompt.textContent = `${words} …`;
    rows.replaceChildren(...nodes);
  }
  return { node, rows, begin };
}

/** The end of the bars' scale for a text: nothing that a dial can do leaves it, so that bars can be compared. */
export function scaleOf({ log_ratios, values, score }) {
  const all = [Math.abs(score), ...values.map(Math.abs)];
  for (const beta of [0, 0.5]) {
    const rewards = tokenRewards(log_ratios, score, beta);
    all.push(...rewards.map(Math.abs));
    for (const lam of [0, 0.25, 0.5, 0.75, 1]) {
      for (const critic of [0, 1]) {
        const known = values.map((v) => v * critic);
        all.push(...gae(rewards, known, 0, 1, lam).advantages.map(Math.abs));
      }
    }
  }
  return Math.max(...all, 1e-6);
}

/** One token: its chip, and three numbers with bars that begin at 0 in the middle. */
export function tokenLine(piece, scale) {
  const chip = tokenChip(piece, "live-worth-chip", unseen(""));
  const reward = barCell(scale, ["live-worth-price", "live-worth-score"]);
  const value = barCell(scale, ["live-worth-value"]);
  const advantage = barCell(scale, ["live-worth-advantage"]);
  const node = html("div", { class: "live-worth-row" }, chip, reward.node, value.node, advantage.node);
  function put({ t, text, beta, rewards, values, advantages }) {
    const last = t === rewards.length - 1;
    reward.put(rewards[t], [-beta * text.log_ratios[t], last ? text.score : 0]);
    value.put(values[t], [values[t]]);
    advantage.put(advantages[t], [advantages[t]]);
    chip.style.backgroundColor = valueColor((5 * advantages[t]) / scale);
    chip.lastElementChild.textContent = `, advantage ${show(advantages[t], 2)}`;
  }
  return { node, chip, put };
}

/** A number, and a bar or two one below the other. */
function barCell(scale, kinds) {
  const number = html("span", { class: "live-worth-number" });
  const bars = kinds.map((kind) => html("span", { class: `live-worth-bar ${kind}` }));
  const node = html("div", { class: "live-worth-cell" }, number, html("div", { class: "live-worth-track" }, ...bars));
  function put(value, parts) {
    number.textContent = show(value, 2);
    bars.forEach((bar, i) => {
      const share = Math.max(-1, Math.min(1, parts[i] / scale));
      bar.style.left = `${(50 + 50 * Math.min(0, share)).toFixed(2)}%`;
      bar.style.width = `${(50 * Math.abs(share)).toFixed(2)}%`;
    });
  }
  return { node, put };
}
