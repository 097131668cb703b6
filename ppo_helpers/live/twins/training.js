// A run of PPO: collect, judge, update, as ppo_helpers.walking.Training does it, on a grid or with a pole on a cart.
import { adam } from "./adam.js";
import { LONGEST } from "./cartpole.js";
import { batchOf, collect } from "./collector.js";
import { dice } from "./dice.js";
import { bookOf, walkersOf } from "./grid_walkers.js";
import { forward, initialise, networkOf } from "./network.js";
import { polesOf } from "./poles.js";
import { evaluate, logSoftmax, ppoUpdate } from "./ppo.js";
import { generator } from "./walks.js";

/** The chance of a run with this seed: the same for every setting, so that runs differ by their dials only. */
export const diceOf = (seed) => dice(generator(7919 * seed + 1));

/** A training on a grid that `iterate` takes further. `config` has the names and numbers of Python's WalkConfig, `room`
 *  says how many walkers there are, after how many moves a walk is cut off, and what is observed. */
export function trainingOf(world, config, { walkers, max_steps: maxSteps, observation }, chance) {
  const book = bookOf(world, observation);
  const nets = netsOf(book, config, chance);
  const crowd = walkersOf(world, book, walkers, maxSteps, chance);
  const gather = () => {
    const seen = evaluate(nets); // the book holds every state there is
    return { seen, paths: collect(crowd, () => seen.logprobs, config.steps, chance) };
  };
  return { nets, config, chance, gather, done: 0 };
}

/** A training with so many poles on carts; a walk is cut off after `longest` pushes. */
export function poleTrainingOf(config, { walkers, longest = LONGEST }, chance) {
  const crowd = polesOf(walkers, longest, chance);
  const nets = netsOf(crowd.now(), config, chance);
  const says = () => oddsOf(nets.policy, crowd.now());
  const gather = () => {
    const paths = collect(crowd, says, config.steps, chance);
    nets.book = crowd.book();
    return { seen: evaluate(nets), paths };
  };
  return { nets, config, chance, crowd, gather, done: 0 };
}

/** What a policy says of every row of a book: log π. */
export const oddsOf = (policy, book) => logSoftmax(forward(policy, book.inputs).at(-1), book);

function netsOf(book, { hidden }, chance) {
  const [policy, value] = [book.moves, 1].map((outputs) => networkOf([book.size, ...hidden, outputs]));
  initialise(policy, 0.01, chance.normal); // close to uniform: it explores before it has opinions
  initialise(value, 1, chance.normal);
  return { policy, value, book, step: adam([policy, value]) };
}

/** Walk, judge, climb: one iteration. Returns its paths, its batch and what the update measured. */
export function iterate(training) {
  const { nets, config, chance, gather } = training;
  const { seen, paths } = gather();
  const batch = batchOf(paths, seen, config);
  const measured = ppoUpdate(nets, batch, annealed(config, training.done), chance.order);
  training.done += 1;
  return { paths, batch, measured };
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
  const { logprobs, moves } = evaluate(nets);
  return Array.from(oldLogprobs, (old, n) => Math.exp(logprobs[moves * rows[n] + actions[n]] - old));
}
