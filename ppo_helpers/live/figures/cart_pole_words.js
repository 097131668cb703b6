// The pole's dials and read-outs in words.
import { show } from "../parts/dom.js";

/** The dials by their names in Python: what stands beside them, what can be chosen, and how it is told. */
export const DIALS = {
  clip_eps: ["clip ε", [null, 0.1, 0.2, 0.3], (v) => (v === null ? "none" : String(v))],
  learning_rate: ["learning rate", [0.0005, 0.002, 0.005, 0.02], String],
  epochs: ["epochs", [1, 2, 4, 10, 20], String],
};

const round = new Intl.NumberFormat("en").format;

/** How far the training is. */
export function sentence({ config, seed, over, frames }, k) {
  const { steps, mean, solved } = frames[k];
  if (k === 0) return `Iteration 0, seed ${seed}. Nothing is learned yet: left and right are nearly equally likely.`;
  const walks = mean === null ? "no walk has ended yet" : `the last walks lasted ${show(mean, 0)} pushes on average`;
  if (solved) return `Solved in iteration ${k}, after ${round(steps)} pushes: ${walks}, of 500 at most.`;
  const end = over && k === frames.length - 1 ? " Not solved this time." : "";
  return `Iteration ${k} of ${config.iterations}, seed ${seed}, ${round(steps)} pushes: ${walks}.${end}`;
}
