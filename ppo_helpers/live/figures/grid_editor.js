// Chapter 1: paint a world, set the price of a move, watch values spread sweep by sweep, and ask a cell for its sum.
import { cellPicture, NAMES, prize } from "../parts/cells.js";
import { valueColor } from "../parts/colors.js";
import { facts, more, slider, stage, statusLine } from "../parts/controls.js";
import { html, say, show } from "../parts/dom.js";
import { explain, explanation, spotlight } from "../parts/explain.js";
import { gridView } from "../parts/grid_view.js";
import { painter, palette } from "../parts/palette.js";
import { planner } from "../parts/planner.js";
import { playback, playOnce } from "../parts/playback.js";
import { traits } from "../parts/traits.js";
import { forever } from "../twins/planning.js";

const HINT = "Point at a cell, or tap it: where does its number come from? Move the dragon, paint walls.";

function render({ model, el }) {
  const state = traits(model);
  const plan = planner(state);
  const tools = palette(state.get("rewards"));
  const onhover = (...cell) => state.set({ cell });
  const at = state.get("cell");
  const board = gridView({ label: state.get("alt"), at, onhover, ...painter(state, plan, tools.tool) });
  const why = explanation();
  const play = transport(state, plan, draw);
  const status = statusLine(4);
  const work = facts();
  board.describe(status);

  function draw() {
    drawBoard(board, plan, 5 / (Math.max(...Object.values(state.get("rewards")).map(Math.abs)) || 1));
    ask();
    say(status, summary(plan), play.playing() && !plan.settled());
    work.put(workOf(plan));
  }
  function ask() {
    const found = explain(plan, state.get("cell"));
    why.put(found, plan, play.playing());
    board.overlay.replaceChildren(...(play.playing() ? [] : spotlight(state.get("cell"), found)));
  }
  const folded = more("How much work is it?", work.node, html("p", { class: "live-work" }, WORK));
  const side = [play.node, status, ...prices(state), folded];
  el.append(stage(state, { hint: HINT, picture: [board.node, why.node, tools.node], side }));
  draw();
  state.watch(["text", "move_cost", "gamma"], () => {
    plan.update();
    play.update();
    draw();
  });
  state.watch(["sweep"], draw);
  state.watch(["cell"], ask);
  const forget = playOnce(el, play, () => state.set({ sweep: 0 }));
  return () => {
    for (const end of [state.off, board.off, play.stop, forget]) end();
  };
}

/** Play, Back, Step and Reset through the sweeps; Reset brings back the first world as well. */
function transport(state, plan, draw) {
  // −1 stands for "all done" in any world; for the playback it is the last sweep of this one
  const frames = {
    ...state,
    get: plan.sweep,
    set: ({ sweep }) => state.set({ sweep: sweep < plan.last() ? sweep : -1 }),
  };
  const reset = () => state.set(state.get("first"));
  const words = (k) => `${k} of ${plan.last()}`;
  return playback(frames, "sweep", { last: plan.last, home: Infinity, delay: 700, label: "sweep", words, reset, draw });
}

/** What a move costs, and what a later point counts. */
function prices(state) {
  const words = (v) => show(v, 2);
  const dearest = Math.max(2, state.get("first").move_cost);
  const cost = { label: "cost of a move", min: 0, max: dearest, step: 0.1, words };
  const gamma = { label: "discount γ", min: 0.01, max: 1, step: 0.01, words };
  return [slider(state, "move_cost", cost).node, slider(state, "gamma", gamma).node];
}

function drawBoard(board, plan, scale) {
  const { world } = plan;
  const values = plan.values();
  const policy = plan.policy();
  board.draw(world.cells.length, world.cells[0].length, (r, c) => {
    const s = world.index[r][c];
    if (s < 0) return { picture: "", color: "", name: "barrier", classes: "live-barrier" };
    return world.reward[s] === null ? freeCell(plan, s, values[s], policy[s], scale) : endCell(world, s, r, c, scale);
  });
}

function freeCell(plan, s, value, policy, scale) {
  const lost = value === -Infinity;
  const words = lost && !plan.settled() ? "?" : show(value, Math.abs(value) < 99.95 ? 1 : 0);
  const known = lost && !plan.settled() ? "not known yet" : `value ${words}`;
  const [r, c] = plan.world.states[s];
  return {
    picture: cellPicture({ words, policy: lost ? null : policy }),
    color: lost ? "" : valueColor(scale * value),
    name: `${NAMES[plan.world.cells[r][c]]}, ${known}`,
    classes: `${lost ? "live-unknown" : ""} ${plan.fresh(s) ? "live-fresh" : ""}`,
  };
}

function endCell(world, s, r, c, scale) {
  const symbol = world.cells[r][c];
  const reward = world.reward[s];
  return {
    picture: cellPicture({ symbol, reward }),
    color: valueColor(scale * reward),
    name: `${NAMES[symbol] ?? symbol} ${prize(reward)}, the walk ends`,
    classes: "live-prize",
  };
}

const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

/** What is seen, in a sentence or two. */
function summary(plan) {
  const { world, gamma } = plan;
  const values = plan.values();
  const unknown = values.filter((v) => v === -Infinity).length;
  if (world.reward.every((r) => r === null)) return "No walk can end in this world. Paint some money, or a dragon.";
  if (!plan.settled()) return beforeTheEnd(plan, unknown);
  if (unknown) return "−∞: from there no walk ever ends, and every move costs.";
  if (world.moveCost === 0 && gamma === 1)
    return "Moves are free: cells that reach the same prize are worth the same, and their arrows tie.";
  const counted = gamma < 1 ? " (discounted, unless it is an end)" : "";
  return `Each number is its best neighbour${counted}, less the cost of a move.`;
}

function beforeTheEnd(plan, unknown) {
  if (plan.sweep() > 0) {
    const changed = plan.values().filter((_, s) => plan.fresh(s)).length;
    const rest = unknown ? `${plural(unknown, "cell")} still unknown.` : "All are known, some not yet right.";
    return `Sweep ${plan.sweep()} wrote ${plural(changed, "new number")} (ringed). ${rest}`;
  }
  const start = forever(plan.world, plan.gamma);
  if (start === -Infinity) return "Before the first sweep only the ends of a walk are known.";
  return `Before the first sweep a cell is worth what walking for ever is worth: ${show(start, 2)}.`;
}

const WORK =
  "A sweep visits every cell where the walk goes on. One more sweep, which changes nothing, notices the end.";
const workOf = ({ result }) => [
  ["sweeps that changed something", result.sweeps],
  ["cell visits in all", result.cellVisits],
];

export default { render };
