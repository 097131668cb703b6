// A policy that has learned a little, one batch of its walks, and many epochs on that batch.
import { adam } from "../twins/adam.js";
import { batchOf } from "../twins/collector.js";
import { networkOf } from "../twins/network.js";
import { evaluate, ppoUpdate, whiten } from "../twins/ppo.js";
import { clippedSurrogate } from "../twins/surrogate.js";
import { diceOf, iterate, trainingOf } from "../twins/training.js";
import { readOut } from "./ppo_lab_runs.js";

const POLICY_ALONE = { epochs: 1, vf_coef: 0, ent_coef: 0, value_clip_eps: null };
const PLAIN = { max_grad_norm: null, target_kl: null, whiten_advantages: false };

/** { batch, nets }: the batch has whitened advantages, the networks are those that walked. */
export function startOf({ world, room }, config, practice, seed) {
  const training = trainingOf(world, config, room, diceOf(seed));
  while (training.done < practice) iterate(training);
  const { seen, paths } = training.gather();
  const batch = batchOf(paths, seen, config);
  return { batch: { ...batch, advantages: whiten(batch.advantages) }, nets: training.nets };
}

/** So many epochs, each a step on the whole batch; a frame before the first and after each of them. */
export function climb(scene, { batch, nets }, eps, { epochs, rate }) {
  const own = copyOf(nets);
  const config = { ...POLICY_ALONE, ...PLAIN, clip_eps: eps, learning_rate: rate, minibatch_size: batch.rows.length };
  const old = evaluate(own).logprobs;
  const frames = [frameOf(scene, own, batch, old, eps)];
  while (frames.length <= epochs) {
    ppoUpdate(own, batch, config, inOrder);
    frames.push(frameOf(scene, own, batch, old, eps));
  }
  return frames;
}

const inOrder = (count) => Int32Array.from({ length: count }, (_, n) => n);

function copyOf({ policy, value, book }) {
  const copies = [policy, value].map((network) => {
    const { layers } = network;
    const copy = networkOf([layers[0].inputs, ...layers.map(({ outputs }) => outputs)]);
    copy.parameters.set(network.parameters);
    return copy;
  });
  return { policy: copies[0], value: copies[1], book, step: adam(copies) };
}

/** What the objective says of the batch, what a walk earns, and the ratio of every move, by rows of the book. */
function frameOf({ world, judge }, nets, { rows, actions, advantages }, old, eps) {
  const { logprobs } = evaluate(nets);
  const ratios = nets.book.open.map((open, at) => (open ? Math.exp(logprobs[at] - old[at]) : null));
  const samples = Array.from(rows, (row, n) => ratios[4 * row + actions[n]]);
  const term = (ratio, n) => (eps === null ? ratio * advantages[n] : clippedSurrogate(ratio, advantages[n], eps));
  const mean = (numbers) => numbers.reduce((sum, v) => sum + v, 0) / numbers.length;
  const points = judge.earns(readOut({ nets }, world).policy);
  return { objective: mean(samples.map(term)), points, ratios, mean: mean(samples) };
}

/** Of every move that is open: how often it was made in the batch, and its advantage on balance. */
export function movesOf({ batch: { rows, actions, advantages }, nets: { book } }) {
  const moves = book.open.map((open, at) => ({ at, open, count: 0, balance: 0 }));
  rows.forEach((row, n) => {
    const move = moves[4 * row + actions[n]];
    move.count += 1;
    move.balance += advantages[n];
  });
  return moves.filter(({ open }) => open);
}
