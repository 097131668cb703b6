// The trainings of the lab: what is kept of every iteration, and how good a policy is.

import { startsOf } from "../twins/grid_walkers.js";
import { valueIteration } from "../twins/planning.js";
import { evaluate, statsOf } from "../twins/ppo.js";
import { diceOf, iterate, ratiosOf, trainingOf } from "../twins/training.js";

export const EDGES = Array.from({ length: 25 }, (_, i) => 0.25 * 16 ** (i / 24)); // of the histogram of ratios
const HIGH = 0.25; // as share of the best: who never stood so high has nothing to fall from
export const OPTIMUM = 0.95; // and from here on a policy counts as the best

/** What walks earn in a world, mean over the starts: at best, by chance, and by any policy. Walks are cut off after
 *  `limit` moves, as in the training. A share is 0 for walking by chance and 1 for the best. */
export function judgeOf(world, limit) {
  const starts = startsOf(world);
  const mean = (values) => starts.reduce((sum, s) => sum + values[s], 0) / starts.length;
  const earns = (policy) => {
    let values = world.reward.map(() => 0);
    for (let move = 0; move < limit; move++) values = world.next.map((to, s) => oneMove(world, to, policy[s], values));
    return mean(values);
  };
  const even = world.next.map((to) => to.map((t) => (t >= 0 ? 1 / to.filter((u) => u >= 0).length : 0)));
  const [best, random] = [mean(valueIteration(world).values), earns(even)];
  return { best, random, earns, share: (points) => (points - random) / (best - random || 1) };
}

function oneMove(world, to, row, after) {
  let sum = 0;
  for (let a = 0; a < 4; a++) {
    if (to[a] >= 0) sum += row[a] * ((world.reward[to[a]] ?? after[to[a]]) - world.moveCost);
  }
  return sum;
}

/** A training from its first weights to its end: before it, and after each iteration, what has become of it. */
export function* lesson({ world, room }, config, seed) {
  const training = trainingOf(world, config, room, diceOf(seed));
  yield { training, batch: null, measured: null };
  while (training.done < config.iterations) yield { training, ...iterate(training) };
}

/** Policy and values by state, as the networks are now; null where a walk ends. */
export function readOut({ nets }, world) {
  const { logprobs, values } = evaluate(nets);
  const at = (s) => nets.book.rowOf[s];
  const chances = (row) => [0, 1, 2, 3].map((a) => Math.exp(logprobs[4 * row + a]));
  const ofStates = (read) => world.reward.map((reward, s) => (reward === null ? read(at(s)) : null));
  return { policy: ofStates(chances), values: ofStates((row) => values[row]) };
}

/** A record of a training: `add` writes down what `lesson` yields, `keep` says whether pictures are wanted too. */
export function recordOf({ world, judge }, keep) {
  const record = { frames: [], fell: null, share: 0 };
  let stands = false; // whether it has learned something since the beginning, or since it fell
  record.add = ({ training, batch, measured }) => {
    const seen = readOut(training, world);
    const points = judge.earns(seen.policy);
    record.share = judge.share(points);
    if (stands && record.share <= 0) record.fell = training.done; // the last fall counts
    if (record.share <= 0 || record.share >= HIGH) stands = record.share > 0;
    if (keep)
      record.frames.push({
        ...seen,
        points,
        share: record.share,
        fell: record.fell,
        ratios: spreadOf(training, batch),
        ...(measured ? statsOf(measured) : {}),
      });
  };
  return record;
}

/** How many ratios of the batch lie in each bin now, those beyond the edges in the last ones; and which share of them
 *  lies outside the band, 1 ± 0.2 if nothing is clipped: a bin may lie on both sides of its edge. */
function spreadOf(training, batch) {
  const counts = EDGES.slice(1).map(() => 0);
  const ratios = batch ? ratiosOf(training, batch) : [];
  for (const ratio of ratios) {
    const bin = Math.floor((counts.length * Math.log(ratio / EDGES[0])) / Math.log(EDGES.at(-1) / EDGES[0]));
    counts[Math.max(0, Math.min(counts.length - 1, bin))] += 1;
  }
  const outside = ratios.filter((ratio) => Math.abs(ratio - 1) > (training.config.clip_eps ?? 0.2)).length;
  return { counts, outside: ratios.length ? outside / ratios.length : null };
}
