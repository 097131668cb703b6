// Walks on a grid as an update needs them: twins of GridWorldVectorEnv and ppo_helpers.walking.Collector.
import { gae } from "./gae.js";
import { stacked } from "./network.js";

/** What the networks see in every state where a walk goes on, and its open moves. An update asks for a state once,
 *  however many steps were made from it: ten rows instead of hundreds. `rowOf` says where a state stands, `kind` is
 *  "xy" or "onehot". */
export function bookOf({ states, next, cells, reward }, kind = "xy") {
  const { fround } = Math; // worlds say what is seen in single precision
  const scaled = (at, size) => (size > 1 ? fround(fround((2 * at) / (size - 1)) - 1) : 0);
  const place = ([r, c]) => [scaled(c, cells[0].length), scaled(r, cells.length)];
  const one = (s) => states.map((_, i) => (i === s ? 1 : 0));
  const kept = states.map((_, s) => s).filter((s) => reward[s] === null);
  const inputs = kept.map((s) => (kind === "xy" ? place(states[s]) : one(s)));
  const open = kept.flatMap((s) => next[s].map((to) => to >= 0));
  const rowOf = states.map((_, s) => kept.indexOf(s)); // −1 at terminals
  return { inputs: stacked(inputs), size: inputs[0].length, open, rowOf, rows: kept.length };
}

/** The states where walks start: those marked S, or else all from which some end can be reached. */
export function startsOf({ states, cells, next, reward }) {
  const marked = states.map((_, s) => s).filter((s) => cells[states[s][0]][states[s][1]] === "S");
  const alive = reward.map((r) => r !== null);
  for (let grew = true; grew; ) {
    grew = false;
    next.forEach((to, s) => {
      if (!alive[s] && to.some((t) => alive[t])) alive[s] = grew = true;
    });
  }
  return marked.length ? marked : states.map((_, s) => s).filter((s) => alive[s] && reward[s] === null);
}

/** So many walkers, each in a start; `maxSteps` is the number of moves after which a walk is cut off. */
export function walkersOf(world, { rowOf }, count, maxSteps, chance) {
  const starts = startsOf(world);
  const one = () => ({ at: chance.pick(starts), moves: 0, ended: false });
  return { world, rowOf, starts, maxSteps, all: Array.from({ length: count }, one) };
}

/** All walkers make `steps` moves by a policy's log-probabilities. Returns their paths, walker by walker: a path ends
 *  where its walk arrives, is cut off, or has to wait for the next update. */
export function collect(walkers, logprobs, steps, chance) {
  const paths = walkers.all.map(() => [newPath()]);
  for (let t = 0; t < steps; t++) {
    walkers.all.forEach((walker, b) => {
      const action = drawn(logprobs, walkers.rowOf[walker.at], chance);
      if (walker.ended) {
        Object.assign(walker, { at: chance.pick(walkers.starts), moves: 0, ended: false }); // an idle step: a new walk
        paths[b].push(newPath());
      } else walk(walkers, walker, action, paths[b].at(-1));
    });
  }
  return paths.flat().filter(({ rows }) => rows.length);
}

const newPath = () => ({ rows: [], actions: [], rewards: [], arrived: false, end: -1 });

/** The largest of log-probabilities plus Gumbel noise is a draw from the policy. */
function drawn(logprobs, row, { gumbel }) {
  let best = -1;
  for (let a = 0, most = -Infinity; a < 4; a++) {
    const score = logprobs[4 * row + a] + gumbel();
    if (score > most) [most, best] = [score, a];
  }
  return best;
}

function walk({ world, rowOf, maxSteps }, walker, action, path) {
  path.rows.push(rowOf[walker.at]);
  path.actions.push(action);
  walker.at = world.next[walker.at][action];
  walker.moves += 1;
  const prize = world.reward[walker.at];
  path.rewards.push((prize ?? 0) - world.moveCost);
  path.arrived = prize !== null;
  path.end = rowOf[walker.at];
  walker.ended = path.arrived || walker.moves === maxSteps;
}

/** What an update learns from, an entry for each step; `values` are the critic's, by row of the book. */
export function batchOf(paths, logprobs, values, { gamma, lam }) {
  const judged = paths.map((path) => {
    const own = path.rows.map((row) => values[row]);
    return { ...path, ...gae(path.rewards, own, path.arrived ? 0 : values[path.end], gamma, lam), own };
  });
  const column = (kind, name) => kind.from(judged.flatMap((path) => path[name]));
  const [rows, actions] = ["rows", "actions"].map((name) => column(Int32Array, name));
  const [advantages, returns, oldValues] = ["advantages", "returns", "own"].map((name) => column(Float64Array, name));
  const oldLogprobs = Float64Array.from(rows, (row, n) => logprobs[4 * row + actions[n]]);
  return { rows, actions, oldLogprobs, advantages, returns, oldValues };
}
