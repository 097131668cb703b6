// Chapter 7: PPO trains in the page, twice side by side, with the reader's own dials; and what many seeds say.
import { button, more, stage, statusLine } from "../parts/controls.js";
import { html, say } from "../parts/dom.js";
import { calm, playback, playOnce } from "../parts/playback.js";
import { traits } from "../parts/traits.js";
import { brushOf } from "./ppo_lab_brush.js";
import { curveOf } from "./ppo_lab_curve.js";
import { measureOf } from "./ppo_lab_measures.js";
import { sceneOf, schoolOf } from "./ppo_lab_school.js";
import { seedsPanel } from "./ppo_lab_seeds.js";
import { sideOf } from "./ppo_lab_side.js";
import { aboutCell, asPython, sentence } from "./ppo_lab_words.js";

const HINT = "Turn a dial: PPO trains anew, here in your browser. Press Play to watch it learn.";

function render({ model, el }) {
  const state = traits(model);
  const scene = sceneOf(state);
  const school = schoolOf(state, scene, draw);
  const play = transport(state, scene, school, draw);
  const will = intentions(state, scene, play, draw);
  const brush = brushOf(state, scene, will);
  const sides = [0, 1].map((i) => sideOf(i, scene, will, brush.grid));
  const curve = curveOf(scene, will);
  const [seeds, code] = [seedsPanel(scene, will.see), copyable()];
  const [status, cell] = [statusLine(5), html("p", { class: "live-note" })];
  function draw() {
    const k = Math.min(state.get("frame"), school.done());
    scene.measure = measureOf(state.get("curve"));
    for (const part of [...sides, curve]) part.draw(k);
    say(status, sentence(scene, k), play.playing());
    cell.textContent = aboutCell(scene, k);
    play.update();
  }
  function follow() {
    school.follow();
    seeds.draw();
    code.put(asPython(scene.sides, state.get("written")));
    draw();
  }
  const side = [play.node, status, curve.node];
  const below = [seeds.node, html("div", { class: "live-folds" }, brush.node, code.node)];
  const body = stage(state, { hint: HINT, picture: [pairOf(sides), cell], side, below, cls: "live-lab" });
  el.append(body);
  follow();
  state.watch(["frame", "curve"], draw);
  state.watch(["text", "sides", "seed"], follow);
  const unwatch = playOnce(body, play, () => state.set({ frame: 0 }));
  const views = sides.map(({ off }) => off);
  const leave = () => {
    for (const undo of [state.off, play.stop, school.stop, seeds.stop, unwatch, ...views]) undo();
  };
  return calm() ? school.over().then(() => leave) : leave; // nothing is to move: what is shown first is the end
}

const pairOf = (sides) => html("div", { class: "live-pair" }, ...sides.map(({ node }) => node));

/** Play, Back, Step and Reset through the iterations; Reset brings back the first dials and the first seed as well. */
function transport(state, scene, school, draw) {
  const home = scene.sides[0].iterations;
  const reset = () => state.set(scene.first);
  const words = (k) => String(Math.min(k, school.done()));
  const last = () => home; // where the training is not that far yet, its newest iteration is shown
  return playback(state, "frame", { last, home, delay: 130, label: "iteration", words, reset, draw });
}

/** What the reader may want. What plays gives way to it. */
function intentions(state, scene, play, draw) {
  const set = (changes) => {
    play.stop();
    state.set(changes);
  };
  const changed = (i, config) => scene.sides.map((side, k) => (k === i ? config : side));
  const end = { frame: scene.sides[0].iterations };
  return {
    scrub: (frame) => set({ frame }),
    measure: (curve) => state.set({ curve }),
    paint: (text) => (text === scene.text ? draw() : set({ text, ...end })),
    pick(s) {
      scene.chosen = s;
      draw();
    },
    turn: (i, name, value) => set({ sides: changed(i, { ...scene.sides[i], [name]: value }), ...end }),
    /** Train a seed of a setting; if neither side has it, one side takes it on. */
    see(config, i, seed) {
      const known = scene.sides.some((side) => JSON.stringify(side) === JSON.stringify(config));
      set({ seed, sides: known ? scene.sides : changed(i, config), ...end });
    },
  };
}

/** The dials as Python, folded away, with a button that copies them. */
function copyable() {
  const text = html("code", { class: "live-code" });
  const copy = button("Copy", () => {
    navigator.clipboard?.writeText(text.textContent).then(() => {
      copy.textContent = "Copied";
    });
  });
  const node = more("The same dials in Python", text, html("div", { class: "live-buttons" }, copy));
  return {
    node,
    put(words) {
      text.textContent = words;
      copy.textContent = "Copy";
    },
  };
}

export default { render };
