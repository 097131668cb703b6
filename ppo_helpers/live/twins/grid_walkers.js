// Walkers on a grid, and what the networks see there: twins of GridWorldVectorEnv and its resets.
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
  return { inputs: stacked(inputs), size: inputs[0].length, moves: 4, open, rowOf, rows: kept.length };
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
  const begun = () => ({ at: chance.pick(starts), moves: 0, ended: false });
  return {
    all: Array.from({ length: count }, begun),
    moves: 4,
    row: ({ at }) => rowOf[at],
    begin: (walker) => Object.assign(walker, begun()),
    walk(walker, action, path) {
      path.rows.push(rowOf[walker.at]);
      path.actions.push(action);
      walker.at = world.next[walker.at][action];
      walker.moves += 1;
      const prize = world.reward[walker.at];
      path.rewards.push((prize ?? 0) - world.moveCost);
      path.arrived = prize !== null;
      path.end = rowOf[walker.at];
      walker.ended = path.arrived || walker.moves === maxSteps;
    },
  };
}
