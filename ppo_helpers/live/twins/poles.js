// A crowd of poles on carts, for the collector. No two of them are ever in the same state: every observation is a row
// of its own in the book.
import { hasFallen, pushed, seenOf, setUp } from "./cartpole.js";
import { stacked } from "./network.js";

const MOVES = 2;
/** A book of observations. */
export const pageOf = (seen) => ({
  inputs: stacked(seen),
  size: 4,
  moves: MOVES,
  open: Array(MOVES * seen.length).fill(true),
  rows: seen.length,
});

/** So many poles, each just set up; a walk is cut off after `longest` pushes. */
export function polesOf(count, longest, chance) {
  let seen = [];
  const lengths = [];
  const see = (pole) => {
    pole.row = seen.push(seenOf(pole.state)) - 1;
  };
  const begin = (pole) => see(Object.assign(pole, { state: setUp(chance), moves: 0, ended: false }));
  const all = Array.from({ length: count }, () => ({}));
  all.forEach(begin);
  return {
    lengths, // pushes of each walk that has ended
    all,
    moves: MOVES,
    row: (_, b) => b, // in what the policy says of all poles as they stand
    begin,
    walk(pole, action, path) {
      path.rows.push(pole.row);
      path.actions.push(action);
      path.rewards.push(1);
      pole.state = pushed(pole.state, action);
      pole.moves += 1;
      see(pole);
      path.arrived = hasFallen(pole.state);
      path.end = pole.row;
      pole.ended = path.arrived || pole.moves === longest;
      if (pole.ended) lengths.push(pole.moves);
    },
    /** What is seen of the poles as they stand. */
    now: () => pageOf(all.map(({ state }) => seenOf(state))),
    /** All that was seen since this was asked last. */
    book() {
      const book = pageOf(seen);
      seen = [];
      all.forEach(see);
      return book;
    },
  };
}
