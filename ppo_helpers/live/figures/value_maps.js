// Chapter 3: what a value network says after it was shown some cells, what is true, and where it is wrong.
import { nearest } from "../parts/charts.js";
import { stage, statusLine } from "../parts/controls.js";
import { html, say } from "../parts/dom.js";
import { playback, playOnce } from "../parts/playback.js";
import { traits } from "../parts/traits.js";
import { sceneOf, valueMaps } from "./value_maps_picture.js";
import { valuePlots } from "./value_maps_plots.js";
import { sentence, shareChoice } from "./value_maps_readings.js";
import { classroom } from "./value_maps_training.js";

const HINT = "Click or tap cells, or drag a mouse across: the network learns those (dots) and guesses the rest.";

function render({ model, el }) {
  const state = traits(model);
  const scene = sceneOf(state);
  const view = viewOf(state, scene, draw);
  const play = playback(state, "frame", {
    last: () => view.run.frames.length - 1,
    home: scene.steps.length - 1,
    delay: 350,
    label: "training step",
    words: () => String(scene.steps[view.frame()]),
    reset: () => view.open(view.home),
    draw,
  });
  const first = (act) => afterStop(play, act);
  const maps = valueMaps(scene, { onpick: first(brush(scene, view)), onhover: view.choose });
  const plots = valuePlots(scene, first(view.goToStep));
  const [shares, words] = [shareChoice(scene, view.home, first(view.open)), statusLine(1)];
  function draw() {
    maps.draw(view);
    plots.draw(view);
    shares.draw(view.run);
    say(words, sentence(scene, view), play.playing());
    play.update();
  }
  const side = [plots.cut, plots.errors, html("div", { class: "live-desk" }, shares.node, play.node)];
  const body = stage(state, { hint: HINT, picture: [maps.node, words], side, cls: "live-maps" });
  el.append(body);
  draw();
  state.watch(["frame"], draw);
  state.watch(["fraction", "own"], view.follow);
  view.follow(); // a saved state may have cells of the reader's own
  const unwatch = playOnce(body, play, () => state.set({ frame: 0 }));
  return () => {
    for (const undo of [state.off, play.stop, view.stop, maps.off, unwatch]) undo();
  };
}

/** What plays gives way to whatever the reader does. */
function afterStop(play, act) {
  return (...given) => {
    play.stop();
    act(...given);
  };
}

/** What is looked at: a run, one of its frames, and a cell; `draw` is called when that changes. */
function viewOf(state, scene, draw) {
  const { runs, steps, world } = scene;
  const home = state.get("fraction");
  const frame = () => Math.min(state.get("frame"), view.run.frames.length - 1);
  const go = (to) => (state.get("frame") === to ? draw() : state.set({ frame: to }));
  const school = classroom(state, world, (run, known) => {
    if (frame() === known - 1) go(run.frames.length - 1);
    else draw(); // the reader is looking back
  });
  const view = { run: runs[home], home, chosen: worst(scene, runs[home].frames.at(-1)), frame, stop: school.stop };
  view.learn = (cells) => {
    view.run = school.start(cells);
    state.set({ own: spelled(cells, world) });
    go(view.run.frames.length - 1);
  };
  view.open = (fraction) => {
    school.stop();
    view.run = runs[fraction];
    state.set({ fraction, own: "" });
    go(steps.length - 1);
  };
  /** Another view of the same figure has opened a run or chosen cells, or a link has. */
  view.follow = () => {
    const own = cellsIn(state.get("own"), world);
    if (!own && view.run !== runs[state.get("fraction")]) view.open(state.get("fraction"));
    if (own && !sameCells(own, view.run.cells)) view.learn(own);
  };
  view.goToStep = (step) => go(nearest(steps.slice(0, view.run.frames.length), step));
  view.choose = (r, c) => {
    if (world.index[r][c] < 0 || world.index[r][c] === view.chosen) return;
    view.chosen = world.index[r][c];
    draw();
  };
  return view;
}

const BITS = [0, 1, 2, 3];
const digits = ({ states }) => Math.ceil(states.length / BITS.length);

/** A choice of cells as a link keeps it: a hexadecimal digit for every four states, short for a world of any size. */
const spelled = (cells, world) =>
  Array.from({ length: digits(world) }, (_, d) =>
    BITS.reduce((sum, bit) => sum + (cells.has(4 * d + bit) ? 2 ** bit : 0), 0).toString(16),
  ).join("");

/** The cells that a text spells; null if it spells none for this world. */
function cellsIn(text, world) {
  if (text.length !== digits(world) || !/^[0-9a-f]+$/.test(text)) return null;
  const chosen = (s) => (Number.parseInt(text[s >> 2], 16) >> (s & 3)) & 1;
  return new Set([...world.states.keys()].filter(chosen));
}

const sameCells = (one, other) => one.size === other.size && [...one].every((s) => other.has(s));

/** The state that is most wrong. */
function worst({ truth }, predicted) {
  const missed = predicted.map((v, s) => Math.abs(v - truth[s]));
  return missed.indexOf(Math.max(...missed));
}

/** Cells that are picked: the first one decides whether they are shown or hidden, those that it is drawn across
 *  follow. */
function brush({ world }, view) {
  let showing = true;
  return (r, c, dragged) => {
    const s = world.index[r][c];
    if (s < 0) return;
    const cells = new Set(view.run.cells);
    if (!dragged) showing = !cells.has(s);
    if (cells.has(s) === showing) return;
    if (showing) cells.add(s);
    else cells.delete(s);
    view.learn(cells);
  };
}

export default { render };
