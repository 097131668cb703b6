// The world, as in ppo_helpers.gridworld: the tests hold them equal.

/** up, right, down, left: (row, column) change of each action */
export const MOVES = [
  [-1, 0],
  [0, 1],
  [1, 0],
  [0, -1],
];

/** States row by row; next[s][a] is −1 where a move is blocked; reward[s] is null where the walk goes on. */
export function parseWorld(text, moveCost, rewards) {
  const rows = text.trim().split("\n");
  const cells = rows.map((line) => [...line.replace(/\s/g, "")]);
  const states = [];
  const number = (symbol, r, c) => (symbol === "#" ? -1 : states.push([r, c]) - 1);
  const index = cells.map((row, r) => row.map((symbol, c) => number(symbol, r, c)));
  const reward = states.map(([r, c]) => rewards[cells[r][c]] ?? null);
  const to = ([r, c], [dr, dc]) => index[r + dr]?.[c + dc] ?? -1;
  const next = states.map((cell, s) => MOVES.map((move) => (reward[s] === null ? to(cell, move) : -1)));
  return { cells, states, index, reward, next, moveCost };
}

/** True at terminals and in cells walled in on all sides. */
export const isStuck = (world, s) => world.next[s].every((to) => to < 0);
