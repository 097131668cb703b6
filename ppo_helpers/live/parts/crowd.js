// Walkers that follow a policy side by side, move by move, and what is counted of them.
import { generator, walkFrom } from "../twins/walks.js";

export const LIMIT = 200; // moves after which a walk is given up
const KEPT = 100; // walks whose trails are kept

/** Nobody has walked yet. */
const nothing = (states) => ({
  walks: 0,
  sum: 0,
  best: null,
  totals: [],
  seen: states.map(() => false),
  ends: states.map(() => 0),
});

/** One crowd of walkers after the other, by `rules`: { world, policy, greedy, gamma, start }. */
export function walkers(rules, seed) {
  const random = generator(seed);
  const aside = generator(seed + 1); // the ghost must not disturb the others
  const send = (policy, source) => walkFrom(rules.world, policy, rules.start, source, LIMIT, rules.gamma);
  const crowd = {
    /** Forget all walks; one walker stands at the start. */
    restart() {
      crowd.tally = nothing(rules.world.states);
      Object.assign(crowd, { trails: [], now: [], moves: 0 });
      crowd.begin(1);
    },
    /** So many walkers set out together, and with them one who always makes the best move it knows. */
    begin(count) {
      const walked = [...crowd.trails, ...(crowd.moves ? crowd.now : [])];
      crowd.trails = walked.slice(Math.max(0, walked.length - (KEPT - count)));
      crowd.now = Array.from({ length: count }, () => send(rules.policy, random));
      crowd.greedy = send(rules.greedy, aside);
      crowd.moves = 0;
      crowd.tally.seen[rules.start] = true;
    },
    /** All who are still under way make a move. */
    advance() {
      crowd.moves += 1;
      for (const walk of crowd.now) record(crowd.tally, walk, crowd.moves);
    },
    over: () => crowd.now.every(({ path }) => crowd.moves >= path.length - 1),
    finish() {
      while (!crowd.over()) crowd.advance();
    },
    /** What walkers have come through so far. */
    way: (walk) => walk.path.slice(0, crowd.moves + 1),
  };
  crowd.restart();
  return crowd;
}

function record(tally, { path, total, prize }, move) {
  if (move >= path.length) return;
  tally.seen[path[move]] = true;
  if (move < path.length - 1) return;
  tally.walks += 1;
  tally.sum += total;
  tally.totals.push(total);
  if (prize === null) return;
  tally.best = Math.max(tally.best ?? -Infinity, prize);
  tally.ends[path[move]] += 1;
}
