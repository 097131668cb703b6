// What the dials are called, and what has happened, in words.
import { MOVE_NAMES } from "../parts/cells.js";
import { show } from "../parts/dom.js";
import { OPTIMUM } from "./ppo_lab_runs.js";

/** The dials by their names in Python: what stands beside them, what can be chosen, and how a choice is told. */
export const DIALS = {
  clip_eps: ["clip ε", [null, 0.1, 0.2, 0.3], (v) => (v === null ? "no clip" : `clip ${v}`)],
  learning_rate: ["learning rate", [0.001, 0.003, 0.005, 0.01, 0.02, 0.03], (v) => `rate ${v}`],
  epochs: ["epochs", [1, 4, 10, 20, 40], (v) => (v === 1 ? "1 epoch" : `${v} epochs`)],
  ent_coef: ["entropy", [0, 0.01, 0.1, 0.3], (v) => `entropy ${v}`],
};
const told = (config, names) => names.map((name) => DIALS[name][2](config[name])).join(", ");

/** All dials of a setting. */
export const settingOf = (config) => told(config, Object.keys(DIALS));

/** The dials in which two settings differ. */
export const unlike = (config, other) => Object.keys(DIALS).filter((name) => config[name] !== other[name]);

/** What tells each of two settings from the other. */
export function namesOf([left, right]) {
  const names = unlike(left, right);
  return names.length ? [told(left, names), told(right, names)] : ["left", "right, the same dials"];
}

/** How the two stand at an iteration. */
export function sentence({ runs, sides, seed, judge, measure }, k) {
  const names = namesOf(sides);
  const best = measure.points ? `, best ${show(judge.best)}` : "";
  const of = ({ frames }, i) => `${capital(names[i])}: ${measure.told(frames[k])}${verdict(frames[k], best)}.`;
  const first = `Iteration ${k} of ${sides[0].iterations}, seed ${seed}.`;
  return [first, ...runs.map(of)].join("\n");
}

const capital = (words) => words[0].toUpperCase() + words.slice(1);

function verdict({ share, fell }, best) {
  const fallen = fell !== null;
  if (share <= 0 && fallen) return `, collapsed at ${fell}`;
  if (share >= OPTIMUM) return `${best}${fallen ? ` after a fall at ${fell}` : ""}`;
  return fallen ? `, after a fall at ${fell}` : "";
}

/** The numbers of the cell that the reader has touched. */
export function aboutCell({ world, runs, sides, chosen, note }, k) {
  if (note) return note;
  if (chosen === null) return "Touch a cell to read its numbers.";
  const [r, c] = world.states[chosen];
  if (world.reward[chosen] !== null) return `Row ${r}, column ${c}: the walk ends here.`;
  const moves = (row) => row.flatMap((p, a) => (p >= 0.005 ? [`${MOVE_NAMES[a]} ${show(100 * p, 0)} %`] : []));
  const of = ({ frames }, i) =>
    `${namesOf(sides)[i]}: value ${show(frames[k].values[chosen])}, ${moves(frames[k].policy[chosen]).join(", ")}`;
  return `Row ${r}, column ${c}. ${runs.map(of).map(capital).join("; ")}.`;
}

/** Both settings as Python; `written` are the names that are not left out. */
export const asPython = (sides, written) =>
  sides
    .map((config) => `WalkConfig(${written.map((name) => `${name}=${python(config[name])}`).join(", ")})`)
    .join("\n");

function python(value) {
  if (Array.isArray(value)) return `(${value.join(", ")}${value.length === 1 ? "," : ""})`;
  return { null: "None", true: "True", false: "False" }[String(value)] ?? String(value);
}

/** What became of a seed. */
export const fateOf = ({ share }) => (share <= 0 ? 0 : share >= OPTIMUM ? 2 : 1);
export const FATES = ["collapsed", "between", "optimum"];
