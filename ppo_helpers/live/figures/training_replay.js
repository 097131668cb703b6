// Chapter 7: one or two trainings, iteration by iteration: policy and values on the grid, the ratios, and curves.
import { cellPicture, MOVE_NAMES, NAMES, prize } from "../parts/cells.js";
import { curvePlot, nearest, ratioBars } from "../parts/charts.js";
import { valueColor } from "../parts/colors.js";
import { choice, facts, stage, statusLine } from "../parts/controls.js";
import { fine, html, say, show } from "../parts/dom.js";
import { flagAt } from "../parts/flag.js";
import { gridView } from "../parts/grid_view.js";
import { playback, playOnce } from "../parts/playback.js";
import { traits } from "../parts/traits.js";
import { parseWorld } from "../twins/gridworld.js";
import { aboutCell, sentence } from "./training_replay_words.js";

const HINT = "Press Play, or draw along the curve: watch the arrows, and how far the ratios leave the band.";
const BOX = { left: 58, right: 16, top: 34, bottom: 44 }; // room for a phone's larger words
const plain = (name) => name.replaceAll("_", " ");

function render({ model, el }) {
  const state = traits(model);
  const scene = sceneOf(state);
  const last = scene.iterations.length - 1;
  const boards = scene.runs.map((run, i) => {
    return boardOf(state, scene, run, i, (r, c) => {
      scene.chosen = scene.world.index[r][c] < 0 ? scene.chosen : scene.world.index[r][c];
      draw();
    });
  });
  const words = (k) => String(scene.iterations[k]);
  const play = playback(state, "frame", { last: () => last, home: last, delay: 250, label: "iteration", words, draw });
  const curves = curvesOf(state, scene, (at) => {
    play.stop();
    state.set({ frame: nearest(scene.iterations, at) });
  });
  const [status, cell] = [statusLine(9), html("p", { class: "live-note" })];
  function draw() {
    const k = state.get("frame");
    for (const board of boards) board.draw(k);
    curves.draw(k);
    say(status, sentence(scene, k), play.playing());
    cell.textContent = aboutCell(scene, k);
  }
  const pair = html(
    "div",
    { class: "live-pair", style: `--boards: ${boards.length}` },
    ...boards.map(({ node }) => node),
  );
  const side = [play.node, status, ...curves.side];
  const body = stage(state, { hint: HINT, picture: [pair, cell, curves.node], side, cls: "live-replay" });
  el.append(body);
  draw();
  state.watch(["frame"], draw);
  const unwatch = playOnce(body, play, () => state.set({ frame: 0 }));
  return () => {
    for (const undo of [state.off, play.stop, unwatch, ...boards.map(({ off }) => off)]) undo();
  };
}

/** What does not change while the reader looks, and the cell that was touched. */
function sceneOf(state) {
  const world = parseWorld(state.get("text"), 0, state.get("rewards"));
  const [runs, iterations, scale] = ["runs", "iterations", "scale"].map(state.get);
  return { world, runs, iterations, scale, chosen: null };
}

const nameOf = (run, i) => html("span", {}, html("span", { class: `live-key live-run-${i}` }), ` ${run.name}`);

/** One run's grid, and under it the ratios of its last update. */
function boardOf(state, scene, run, i, choose) {
  const grid = gridView({ label: `policy and values ${run.name}`, onpick: choose });
  const bars = ratioBars(state.get("edges"), state.get("clip_eps"), `live-run-${i}`);
  const { cells, index } = scene.world;
  return {
    node: html("div", {}, html("p", { class: "live-caption" }, nameOf(run, i)), grid.node, bars.node),
    off: grid.off,
    draw(k) {
      grid.draw(cells.length, cells[0].length, (r, c) => lookOf(scene, run, k, index[r][c], cells[r][c]));
      bars.put(run.ratios[k]);
    },
  };
}

function lookOf({ world, scale, chosen }, run, k, s, symbol) {
  if (s < 0) return { picture: "", color: "", name: "barrier", classes: "live-barrier", off: true };
  const reward = world.reward[s];
  const value = reward ?? run.values[k][s];
  const policy = reward === null ? run.policy[k][s].map((percent) => percent / 100) : null;
  const best = policy && `${MOVE_NAMES[policy.indexOf(Math.max(...policy))]} ${show(100 * Math.max(...policy), 0)} %`;
  return {
    picture: cellPicture({ symbol, reward, words: show(value), policy }),
    color: valueColor(value / scale),
    classes: s === chosen ? "live-chosen" : "",
    name: reward === null ? `value ${show(value)}, ${best}` : `${NAMES[symbol] ?? symbol} ${prize(reward)}`,
  };
}

/** The curve that is chosen, the list to choose from, and its numbers at the iteration shown. */
function curvesOf(state, scene, onscrub) {
  const { runs, iterations } = scene;
  const [holder, numbers] = [html("div"), facts()];
  const names = Object.keys(runs[0].curves).map((name) => [name, plain(name)]);
  const curve = choice("curve", names, (name) => state.set({ curve: name }));
  let plot = null;
  const build = () => {
    plot = plotOf(state, scene, onscrub);
    holder.replaceChildren(plot.node);
    curve.pick.value = state.get("curve");
  };
  const draw = (k) => {
    const values = runs.map((run) => run.curves[state.get("curve")][iterations[k] - 1]); // none before the first
    plot.mark(iterations[k], values);
    numbers.put(runs.map((run, i) => [nameOf(run, i), values[i] === undefined ? "–" : fine(values[i])]));
  };
  build();
  state.watch(["curve"], () => {
    build();
    draw(state.get("frame"));
  });
  return { node: holder, side: [curve.node, numbers.node], draw };
}

/** The chosen curve of all runs; a flag stands where a run collapses. */
function plotOf(state, { runs, iterations }, onscrub) {
  const name = state.get("curve");
  const curves = runs.map((run) => run.curves[name]);
  const [low, high] = [Math.min(...curves.flat()), Math.max(...curves.flat())];
  const room = 0.06 * (high - low) || 0.6;
  const x = [0, Math.max(iterations.at(-1), ...curves.map((curve) => curve.length))];
  const words = { xlabel: "iteration", ylabel: "", label: `${plain(name)} by iteration`, box: BOX };
  const plot = curvePlot({ x, y: [low - room, high + room], count: runs.length, onscrub, height: 200, ...words });
  plot.node.append(plot.text([4, 20], plain(name), { "text-anchor": "start" }));
  plot.put(curves.map((curve) => curve.map((v, k) => [k + 1, v])));
  state.get("collapses").forEach((iteration, i) => {
    if (iteration === null) return;
    plot.node.append(flagAt(plot, [iteration, curves[i][iteration - 1]], x[1], `collapse at ${iteration}`, i));
  });
  return plot;
}

export default { render };
