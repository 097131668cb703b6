// What happened in a training, in words that fit any run.
import { MOVE_NAMES } from "../parts/cells.js";
import { fine, show } from "../parts/dom.js";

const placeOf = ([r, c]) => `row ${r}, column ${c}`;
const likeliest = (row) => row.indexOf(Math.max(...row));

/** What the last update did in each run: the first curve, and what the walker does otherwise than before. */
export function sentence(scene, k) {
  const iteration = scene.iterations[k];
  if (iteration === 0) return "Iteration 0, before the training: the walkers have learned nothing yet.";
  return [`Iteration ${iteration}.`, ...scene.runs.map((run) => ofRun(scene, run, k))].join("\n");
}

function ofRun(scene, run, k) {
  const [curve, numbers] = Object.entries(run.curves)[0];
  const [now, before] = [k, k - 1].map((frame) => numbers[scene.iterations[frame] - 1]);
  const course = before === undefined ? "" : `, ${compared(now, before)}`;
  const name = run.name[0].toUpperCase() + run.name.slice(1);
  const change = k ? `; ${changed(scene, run, k)}` : "";
  return `${name}: ${curve.replaceAll("_", " ")} ${fine(now)}${course}${change}.`;
}

function compared(now, before) {
  if (fine(now) === fine(before)) return "as before";
  return `${now > before ? "up" : "down"} from ${fine(before)}`;
}

/** The most telling change: walks that lead nowhere first, then moves that are another one now. */
function changed({ world }, run, k) {
  const [lost, lostBefore] = [k, k - 1].map((frame) => circling(world, run.policy[frame]));
  if (lost.length > lostBefore.length) return `from ${cells(lost.length)} the likeliest moves now go in a circle`;
  if (lost.length) return `from ${cells(lost.length)} the likeliest moves still go in a circle`;
  if (lostBefore.length) return "from every cell the likeliest moves now lead to an end";
  const turned = turns(world, run.policy[k - 1], run.policy[k]);
  if (!turned.length) return "no cell changes its likeliest move";
  const move = MOVE_NAMES[likeliest(run.policy[k][turned[0]])];
  const others = turned.length > 1 ? `, and in ${cells(turned.length - 1)} more it turns` : "";
  return `at ${placeOf(world.states[turned[0]])} the walker now goes ${move}${others}`;
}

const cells = (count) => (count === 1 ? "1 cell" : `${count} cells`);

/** The states from which the likeliest moves never come to an end. */
export function circling(world, policy) {
  const walks = world.states.map((_, s) => s).filter((s) => world.next[s].some((to) => to >= 0));
  return walks.filter((start) => {
    let at = start;
    for (let moves = 0; moves < world.states.length && world.reward[at] === null; moves++) {
      at = world.next[at][likeliest(policy[at])];
      if (at === undefined || at < 0) return true; // no such move: it stays where it is
    }
    return world.reward[at] === null;
  });
}

/** The states whose likeliest move is another one now, those that have changed most first. */
function turns(world, before, now) {
  const walks = world.states.map((_, s) => s).filter((s) => world.next[s].some((to) => to >= 0));
  const shift = (s) => Math.max(...now[s].map((p, a) => Math.abs(p - before[s][a])));
  return walks.filter((s) => likeliest(before[s]) !== likeliest(now[s])).sort((a, b) => shift(b) - shift(a));
}

/** The numbers of the cell that the reader has touched. */
export function aboutCell({ world, runs, chosen }, k) {
  if (chosen === null) return "Touch a cell to read its numbers.";
  if (world.reward[chosen] !== null) return `${placeOf(world.states[chosen])}: the walk ends here.`;
  const moves = (row) => {
    const named = row.map((percent, a) => [percent, MOVE_NAMES[a]]).filter(([percent]) => percent > 0);
    return named
      .sort(([a], [b]) => b - a)
      .map(([percent, name]) => `${name} ${percent} %`)
      .join(", ");
  };
  const ofRun = (run) => `${run.name}, value ${show(run.values[k][chosen])}, ${moves(run.policy[k][chosen])}`;
  return `${placeOf(world.states[chosen])}: ${runs.map(ofRun).join("; ")}.`;
}
