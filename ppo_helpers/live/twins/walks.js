// Walks that follow a policy, drawn by chance or all of them with their probabilities.

/** A seeded source of numbers in [0, 1): mulberry32. */
export function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Draw a move from a row of probabilities. */
export function drawMove(row, random) {
  let left = random();
  const last = row.findLastIndex((p) => p > 0);
  return row.findIndex((p, a) => {
    left -= p;
    return a === last || left < 0;
  });
}

/** One walk, given up after `limit` moves: the states it visits, its points after each move, discounted, and the prize
 *  at its end or null. */
export function walkFrom(world, policy, start, random, limit, gamma = 1) {
  const path = [start];
  const points = [0];
  for (let worth = 1; ; worth *= gamma) {
    const at = path.at(-1);
    const to = world.next[at][drawMove(policy[at], random)];
    const prize = world.reward[to];
    path.push(to);
    points.push(points.at(-1) + worth * ((prize ?? 0) - world.moveCost));
    if (prize !== null || path.length > limit) return { path, points, total: points.at(-1), prize };
  }
}

/** What a walk may earn, with exact probabilities: pairs of points and probability, many of them with equal points.
 *  Walks that have not ended after `limit` moves come last. */
export function outcomes(world, policy, start, limit, gamma = 1) {
  const found = [];
  let walking = new Map([[start, 1]]); // state → probability of being there now
  let paid = 0;
  for (let move = 0, worth = 1; move < limit && walking.size; move += 1, worth *= gamma) {
    paid -= worth * world.moveCost;
    const ended = (prize, p) => found.push([paid + worth * prize, p]);
    walking = oneMove(world, policy, walking, ended);
  }
  const rest = [...walking.values()].reduce((sum, p) => sum + p, 0);
  return rest > 0 ? [...found, [paid, rest]] : found;
}

function oneMove(world, policy, walking, ended) {
  const next = new Map();
  for (const [s, p] of walking) {
    world.next[s].forEach((to, a) => {
      const chance = p * policy[s][a];
      if (!(chance > 0)) return; // a probability too small for a float has become 0
      if (world.reward[to] === null) next.set(to, (next.get(to) ?? 0) + chance);
      else ended(world.reward[to], chance);
    });
  }
  return next;
}
