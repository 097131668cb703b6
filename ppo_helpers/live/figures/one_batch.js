// Chapters 5 and 6: one batch, climbed until the policy breaks.
import { button, choice, legendOf, stage, statusLine } from "../parts/controls.js";
import { html, say } from "../parts/dom.js";
import { playback, playOnce } from "../parts/playback.js";
import { traits } from "../parts/traits.js";
import { parseWorld } from "../twins/gridworld.js";
import { curvesOf } from "./one_batch_curves.js";
import { manyOf } from "./one_batch_many.js";
import { lanesOf } from "./one_batch_picture.js";
import { climb, movesOf, startOf } from "./one_batch_runs.js";
import { lanesInWords, nameOf, sentence } from "./one_batch_words.js";
import { judgeOf } from "./ppo_lab_runs.js";

const HINT = "Press Play: one epoch after the other, all on the same batch.";
const PRACTICE = [0, 5, 10, 20, 40];

function render({ model, el }) {
  const state = traits(model);
  const scene = sceneOf(state);
  const { clips, epochs } = scene.climb;
  const play = transport(state, epochs, draw);
  const turn = (changes) => {
    play.stop();
    state.set(changes);
  };
  const lanes = lanesOf(clips, clips.map(nameOf));
  const curves = curvesOf(scene, (frame) => turn({ frame }));
  const status = statusLine(2 + 4 * clips.length);
  const dials = dialsOf(state, (changes) => turn({ ...changes, frame: epochs }));
  const many = manyOf(scene, state);
  function draw() {
    const k = state.get("frame");
    const frames = scene.runs.map((run) => run[k]);
    lanes.put(scene.moves, frames, lanesInWords(scene.moves, frames, clips));
    for (const part of [curves, many, dials]) part.draw(k);
    say(status, sentence(scene, scene.runs, k), play.playing());
    play.update();
  }
  const anew = () => [scene.follow, many.follow, draw].map((run) => run());
  const [picture, below] = [
    [lanes.node, legend(), dials.node],
    [curves.node, many.node],
  ];
  el.append(stage(state, { hint: HINT, picture, side: [play.node, status], below, cls: "live-one-batch" }));
  anew();
  state.watch(["frame"], draw);
  state.watch(["practice", "seed"], anew);
  const forget = playOnce(el, play, () => state.set({ frame: 0 }));
  return () => {
    for (const undo of [state.off, play.stop, many.stop, forget]) undo();
  };
}

/** What is shown: `follow` trains the policy, and climbs its batch with each of the clips. */
function sceneOf(state) {
  const world = parseWorld(state.get("text"), state.get("move_cost"), state.get("rewards"));
  const room = state.get("room");
  const scene = { world, room, judge: judgeOf(world, room.max_steps), climb: state.get("climb"), runs: [], moves: [] };
  scene.follow = () => {
    const start = startOf(scene, state.get("config"), state.get("practice"), state.get("seed"));
    scene.moves = movesOf(start);
    scene.runs = scene.climb.clips.map((eps) => climb(scene, start, eps, scene.climb));
  };
  return scene;
}

function transport(state, epochs, draw) {
  const reset = () => state.set(state.get("first"));
  const look = { label: "epochs on this batch", words: String, delay: 220 };
  return playback(state, "frame", { last: () => epochs, home: epochs, ...look, reset, draw });
}

function dialsOf(state, turn) {
  const own = [...new Set([...PRACTICE, state.get("practice")])].sort((a, b) => a - b);
  const words = own.map((n) => [n, n ? `${n} batches` : "none"]);
  const { node, pick } = choice("practice before", words, (n) => turn({ practice: Number(n) }));
  const other = button("Another batch", () => turn({ seed: state.get("seed") + 1 }));
  const draw = () => {
    const now = state.get("practice");
    if (!own.includes(now)) pick.append(html("option", { value: own[own.push(now) - 1] }, `${now} batches`));
    pick.value = now;
  };
  return { node: html("div", { class: "live-one-dials" }, node, html("div", { class: "live-buttons" }, other)), draw };
}

const legend = () =>
  legendOf([
    ["live-key-good", "move made, good on balance"],
    ["live-key-bad", "bad on balance"],
    ["live-key-untried", "never made"],
  ]);

export default { render };
