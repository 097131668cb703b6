// What walkers live through, as an update needs it: a twin of ppo_helpers.walking.Collector. Any world will do whose
// crowd has { all, moves, row, begin, walk }: grid_walkers.js has one, poles.js another.
import { gae } from "./gae.js";

/** All walkers of a crowd make `steps` moves. `says` gives the log-probabilities of the moves before each of them, by
 *  rows. Returns their paths, walker by walker: a path ends where its walk ends, or has to wait for the next update. */
export function collect(crowd, says, steps, chance) {
  const paths = crowd.all.map(() => [newPath()]);
  for (let t = 0; t < steps; t++) {
    const logprobs = says();
    crowd.all.forEach((walker, b) => {
      const action = drawn(logprobs, crowd.row(walker, b), crowd.moves, chance);
      if (walker.ended) {
        crowd.begin(walker); // an idle step: a new walk
        paths[b].push(newPath());
      } else crowd.walk(walker, action, paths[b].at(-1));
    });
  }
  return paths.flat().filter(({ rows }) => rows.length);
}

const newPath = () => ({ rows: [], actions: [], rewards: [], arrived: false, end: -1 });

/** The largest of log-probabilities plus Gumbel noise is a draw from the policy. */
export function drawn(logprobs, row, moves, { gumbel }) {
  let best = -1;
  for (let a = 0, most = -Infinity; a < moves; a++) {
    const score = logprobs[moves * row + a] + gumbel();
    if (score > most) [most, best] = [score, a];
  }
  return best;
}

/** What an update learns from, an entry for each step; `values` are the critic's, by row of the book. */
export function batchOf(paths, { logprobs, values, moves }, { gamma, lam }) {
  const judged = paths.map((path) => {
    const own = path.rows.map((row) => values[row]);
    return { ...path, ...gae(path.rewards, own, path.arrived ? 0 : values[path.end], gamma, lam), own };
  });
  const column = (kind, name) => kind.from(judged.flatMap((path) => path[name]));
  const [rows, actions] = ["rows", "actions"].map((name) => column(Int32Array, name));
  const [advantages, returns, oldValues] = ["advantages", "returns", "own"].map((name) => column(Float64Array, name));
  const oldLogprobs = Float64Array.from(rows, (row, n) => logprobs[moves * row + actions[n]]);
  return { rows, actions, oldLogprobs, advantages, returns, oldValues };
}
