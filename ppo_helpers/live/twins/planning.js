// Planning in a known world, as in ppo_helpers.planning: the tests hold them equal.
import { isStuck } from "./gridworld.js";

const TINY = 2.2250738585072014e-308; // the least float with all its digits

/** What walking without end is worth. */
export function forever(world, gamma) {
  if (world.moveCost === 0) return 0;
  return gamma === 1 ? -Infinity : -world.moveCost / (1 - gamma);
}

/** All sweeps until one changes nothing: the start and the values after each, and how many cells were visited in
 *  all. */
export function valueIteration(world, gamma = 1, tol = 1e-9) {
  const history = [world.reward.map((r) => r ?? forever(world, gamma))];
  for (;;) {
    const old = history.at(-1);
    const now = old.map((v, s) => (isStuck(world, s) ? v : Math.max(...actionValues(world, old, gamma, s))));
    if (!now.some((v, s) => v !== old[s] && Math.abs(v - old[s]) > tol)) {
      // the last sweep changes nothing
      const cellVisits = history.length * world.reward.filter((r) => r === null).length;
      return { values: old, sweeps: history.length - 1, history, cellVisits };
    }
    history.push(now);
  }
}

/** What each of the four moves from state s promises; −∞ where blocked. A terminal's reward is not discounted. */
export function actionValues(world, values, gamma, s) {
  const entering = (to) => (world.reward[to] === null ? gamma * values[to] : values[to]);
  return world.next[s].map((to) => (to < 0 ? -Infinity : entering(to) - world.moveCost));
}

const share = (weights) => {
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => (sum > 0 ? w / sum : 0));
};

/** Only the best moves, all equally likely where several tie. */
export function greedyPolicy(world, values, gamma = 1) {
  return world.next.map((to, s) => {
    const q = actionValues(world, values, gamma, s);
    const best = Math.max(...q);
    const near = best - 1e-9 * Math.max(1, Math.abs(best));
    return share(q.map((v, a) => (to[a] >= 0 && (v === best || v >= near) ? 1 : 0)));
  });
}

/** Better moves more often; where all open moves are equally hopeless, all alike. */
export function softmaxPolicy(world, values, temperature, gamma = 1) {
  return world.next.map((to, s) => {
    const q = actionValues(world, values, gamma, s);
    const best = Math.max(...q);
    const weight = (v) => (best === -Infinity ? 1 : Math.exp((v - best) / temperature));
    return share(q.map((v, a) => (to[a] < 0 ? 0 : weight(v))));
  });
}

/** Exact value of a policy; −∞ where moves cost and the walk may never end. */
export function evaluatePolicy(world, policy, gamma = 1) {
  const solved = solvable(world, policy, gamma);
  const rows = [...solved.keys()].filter((s) => solved[s]);
  const at = new Map(rows.map((s, i) => [s, i]));
  const step = rows.map(() => new Array(rows.length).fill(0));
  const leaves = rows.map(() => 1 - gamma); // a discount is a chance that the walk is over after each move
  const reward = rows.map(() => 0);
  rows.forEach((s, i) => {
    world.next[s].forEach((to, a) => {
      if (to < 0) return;
      reward[i] += policy[s][a] * ((world.reward[to] ?? 0) - world.moveCost);
      if (at.has(to)) step[i][at.get(to)] += gamma * policy[s][a];
      else leaves[i] += gamma * policy[s][a];
    });
  });
  const found = eliminate(step, leaves, reward);
  return world.reward.map((r, s) => r ?? (at.has(s) ? found[at.get(s)] : forever(world, gamma)));
}

/** The states whose value is a sum that ends; elsewhere a walk is worth what walking for ever is worth. */
function solvable(world, policy, gamma) {
  const links = world.next.map((to, s) => to.filter((t, a) => t >= 0 && policy[s][a] > 0));
  const ends = world.reward.map((r) => r !== null);
  const mayEnd = reaches(links, ends);
  const lost = reaches(
    links,
    mayEnd.map((may) => !may),
  );
  const counts = (s) => gamma < 1 || (world.moveCost > 0 ? !lost[s] : mayEnd[s]);
  return world.next.map((_, s) => !isStuck(world, s) && counts(s));
}

function reaches(links, target) {
  const reached = [...target];
  for (let grew = true; grew; ) {
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
    away = Math.max(away, TINY); // an end rarer than a float can hold counts as none
    for (let j = 0; j < k; j++) step[k][j] /= away;
    leaves[k] /= away;
    reward[k] /= away;
    for (let i = 0; i < k; i++) handOn(step, leaves, reward, i, k);
  }
  const values = [];
  reward.forEach((r, k) => {
    values.push(values.reduce((sum, v, j) => sum + step[k][j] * v, r));
  });
  return values;
}

/** What state i did through state k it now does itself. */
function handOn(step, leaves, reward, i, k) {
  const into = step[i][k];
  if (!into) return;
  for (let j = 0; j < k; j++) step[i][j] += into * step[k][j];
  leaves[i] += into * leaves[k];
  reward[i] += into * reward[k];
}
