// What the ratio explorer says: its legend, a sentence, and the gradients as a table.
import { fine, html, unseen } from "../parts/dom.js";
import { times } from "./ratio_explorer_picture.js";

export const ACTIONS = [
  ["↑", "up"],
  ["→", "right"],
  ["↓", "down"],
  ["←", "left"],
];

const pi = (foot) => ["π", html("sub", {}, foot)];

export const legend = () => [
  ["live-key-old", html("span", {}, ...pi("old"), ": the policy that walked")],
  ["live-key-new", html("span", {}, ...pi("θ"), ": the policy now")],
  ["live-key-push", "gradient: where one step takes it"],
];

/** The numbers beside the picture. */
export const readings = ({ ratio, advantage }) => [
  [html("span", {}, "ratio π/", ...pi("old")), times(ratio)],
  ["ratio · A", fine(ratio * advantage)],
];

/** What has become of the move that was taken. */
export function sentence({ steps, action, ratio, advantage, now }) {
  const lead = steps ? `After ${steps} ${steps === 1 ? "step" : "steps"}: ` : "";
  const move = `“${ACTIONS[action][1]}”`;
  if (Math.abs(ratio - 1) < 5e-4) return `${lead}${move} was taken. It is as likely now as then: its ratio is 1.`;
  const likely = `${lead}${move} is ${times(ratio).slice(1)} times as likely as when it was taken.`;
  if (now[action] > 0.95) return `${likely} It has nearly all the probability: the ratio can hardly grow any further.`;
  if (advantage === 0) return `${likely} Its advantage is 0: nothing pushes it.`;
  return `${likely} Its log-probability is pushed ${times(ratio).slice(1)} times as hard as at first.`;
}

/** The gradient of ratio · A beside the policy gradient: the same direction, the ratio times as long. */
export function gradientTable({ action, before, now, gradient, plain }) {
  const cell = (v, j) => html("td", j === action ? { class: "live-now" } : {}, v);
  const row = (name, values, cls = "") =>
    html("tr", { class: cls }, html("th", { scope: "row" }, ...name), ...values.map(cell));
  const head = ACTIONS.map(([arrow, name]) => html("th", { scope: "col" }, `${arrow} ${name}`));
  const rows = [
    row(pi("old"), before.map(fine)),
    row(pi("θ"), now.map(fine)),
    row(["gradient of ratio · A"], gradient.map(fine), "live-strong"),
    row(["policy gradient"], plain.map(fine)),
  ];
  const top = html("thead", {}, html("tr", {}, html("th", { scope: "col" }, unseen("move")), ...head));
  return html("table", { class: "live-table" }, top, html("tbody", {}, ...rows));
}
