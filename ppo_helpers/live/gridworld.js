// The world and its planning, as in ppo_helpers.gridworld and ppo_helpers.planning: the tests hold them equal.
const MOVES = [[-1, 0], [0, 1], [1, 0], [0, -1]]; // up, right, down, left

/** States row by row; next[s][a] is −1 where a move is blocked; reward[s] is null where the walk goes on. */
export function parseWorld(text, moveCost, rewards) {
  const cells = text.trim().split("\n").map((line) => [...line.replace(/\s/g, "")]);
  const states = [], index = cells.map((row) => row.map(() => -1));
  cells.forEach((row, r) => row.forEach((symbol, c) => {
    if (symbol !== "#") index[r][c] = states.push([r, c]) - 1;
  }));
  const reward = states.map(([r, c]) => rewards[cells[r][c]] ?? null);
  const next = states.map(([r, c], s) => MOVES.map(([dr, dc]) =>
    reward[s] === null ? index[r + dr]?.[c + dc] ?? -1 : -1));
  return { cells, states, index, reward, next, moveCost };
}

const forever = (world, gamma) =>
  world.moveCost === 0 ? 0 : gamma === 1 ? -Infinity : -world.moveCost / (1 - gamma);

export function valueIteration(world, gamma = 1, tol = 1e-9) {
  const history = [world.reward.map((r) => r ?? forever(world, gamma))];
  for (;;) {
    const old = history.at(-1);
    const now = old.map((v, s) => (isStuck(world, s) ? v : Math.max(...actionValues(world, old, gamma, s))));
    if (!now.some((v, s) => v !== old[s] && Math.abs(v - old[s]) > tol)) {
      return { values: old, sweeps: history.length - 1, history };
    }
    history.push(now);
  }
}

/** True at terminals and in cells walled in on all sides. */
const isStuck = (world, s) => world.next[s].every((to) => to < 0);

/** What each of the four moves from state s promises; −∞ where blocked. */
export function actionValues(world, values, gamma, s) {
  return world.next[s].map((to) =>
    to < 0 ? -Infinity : (world.reward[to] === null ? gamma * values[to] : values[to]) - world.moveCost);
}

const share = (weights) => {
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => (sum > 0 ? w / sum : 0));
};

export function greedyPolicy(world, values, gamma = 1) {
  return world.next.map((to, s) => {
    const q = actionValues(world, values, gamma, s), best = Math.max(...q);
    const near = best - 1e-9 * Math.max(1, Math.abs(best));
    return share(q.map((v, a) => (to[a] >= 0 && (v === best || v >= near) ? 1 : 0)));
  });
}

export function softmaxPolicy(world, values, temperature, gamma = 1) {
  return world.next.map((to, s) => {
    const q = actionValues(world, values, gamma, s), best = Math.max(...q);
    return share(q.map((v, a) => (to[a] < 0 ? 0 : best === -Infinity ? 1 : Math.exp((v - best) / temperature))));
  });
}

/** Exact value of a policy; −∞ where moves cost and the walk may never end. */
export function evaluatePolicy(world, policy, gamma = 1) {
  const links = world.next.map((to, s) => to.filter((t, a) => t >= 0 && policy[s][a] > 0));
  const mayEnd = reaches(links, world.reward.map((r) => r !== null));
  const lost = reaches(links, mayEnd.map((ends) => !ends));
  const solved = world.next.map((to, s) => !isStuck(world, s) &&
    (gamma < 1 || (world.moveCost > 0 ? !lost[s] : mayEnd[s])));
  const rows = [...solved.keys()].filter((s) => solved[s]), at = new Map(rows.map((s, i) => [s, i]));
  const step = rows.map(() => new Array(rows.length).fill(0));
  const leaves = rows.map(() => 1 - gamma), reward = rows.map(() => 0);
  rows.forEach((s, i) => world.next[s].forEach((to, a) => {
    if (to < 0) return;
    reward[i] += policy[s][a] * ((world.reward[to] ?? 0) - world.moveCost);
    if (at.has(to)) step[i][at.get(to)] += gamma * policy[s][a];
    else leaves[i] += gamma * policy[s][a];
  }));
  const found = eliminate(step, leaves, reward);
  return world.reward.map((r, s) => r ?? (at.has(s) ? found[at.get(s)] : forever(world, gamma)));
}

function reaches(links, target) {
  const reached = [...target];
  for (let grew = true; grew;) {
    grew = false;
    links.forEach((to, s) => {
      if (!reached[s] && to.some((t) => reached[t])) reached[s] = grew = true;
    });
  }
  return reached;
}

/** Total reward until leaving, by removing one state after the other; subtracts nothing (see planning.py). */
function eliminate(step, leaves, reward) {
  for (let k = reward.length - 1; k >= 0; k--) {
    let away = leaves[k];
    for (let j = 0; j < k; j++) away += step[k][j];
    away = Math.max(away, 2.2250738585072014e-308); // an end rarer than a float can hold counts as none
    for (let j = 0; j < k; j++) step[k][j] /= away;
    leaves[k] /= away;
    reward[k] /= away;
    for (let i = 0; i < k; i++) {
      const into = step[i][k];
      if (!into) continue;
      for (let j = 0; j < k; j++) step[i][j] += into * step[k][j];
      leaves[i] += into * leaves[k];
      reward[i] += into * reward[k];
    }
  }
  const values = [];
  reward.forEach((r, k) => values.push(values.reduce((sum, v, j) => sum + step[k][j] * v, r)));
  return values;
}

/** A seeded source of numbers in [0, 1): mulberry32. */
export function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Draw a move from a row of probabilities. */
export function drawMove(row, random) {
  let left = random();
  const last = row.findLastIndex((p) => p > 0);
  return row.findIndex((p, a) => a === last || (left -= p) < 0);
}
