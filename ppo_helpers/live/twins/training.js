// A run of PPO on a grid: collect, judge, update, as ppo_helpers.walking.Training does it.
import { adam } from "./adam.js";
import { batchOf, bookOf, collect, walkersOf } from "./collector.js";
import { dice } from "./dice.js";
import { initialise, networkOf } from "./network.js";
import { evaluate, ppoUpdate } from "./ppo.js";
import { generator } from "./walks.js";

/** The chance of a run with this seed: the same for every setting, so that runs differ by their dials only. */
export const diceOf = (seed) => dice(generator(7919 * seed + 1));

/** A training that `iterate` takes further. `config` has the names and numbers of Python's WalkConfig, `room` says how
 *  many walkers there are, after how many moves a walk is cut off, and what is observed. */
export function trainingOf(world, config, { walkers, max_steps: maxSteps, observation }, chance) {
  const book = bookOf(world, observation);
  const [policy, value] = [4, 1].map((outputs) => networkOf([book.size, ...config.hidden, outputs]));
  initialise(policy, 0.01, chance.normal); // close to uniform: it explores before it has opinions
  initialise(value, 1, chance.normal);
  const crowd = walkersOf(world, book, walkers, maxSteps, chance);
  const nets = { policy, value, book, step: adam([policy, value]) };
  return { nets, config, chance, crowd, done: 0 };
}

/** Walk, judge, climb: one iteration. Returns its batch and what the update measured. */
export function iterate(training) {
  const { nets, config, chance, crowd } = training;
  const { logprobs, values } = evaluate(nets);
  const batch = batchOf(collect(crowd, logprobs, config.steps, chance), logprobs, values, config);
  const measured = ppoUpdate(nets, batch, annealed(config, training.done), chance.order);
  training.done += 1;
  return { batch, measured };
}

/** The numbers of the iteration after `done` others: learning rate and ε fall to 0 where asked. */
function annealed(config, done) {
  const left = 1 - done / config.iterations;
  const rate = config.learning_rate * (config.anneal_lr ? left : 1);
  const eps = config.clip_eps === null ? null : config.clip_eps * (config.anneal_clip ? left : 1);
  return { ...config, learning_rate: rate, clip_eps: eps };
}

/** Of each step of a batch: how much likelier the policy makes it now. */
export function ratiosOf({ nets }, { rows, actions, oldLogprobs }) {
  const { logprobs } = evaluate(nets);
  return Array.from(oldLogprobs, (old, n) => Math.exp(logprobs[4 * rows[n] + actions[n]] - old));
}
