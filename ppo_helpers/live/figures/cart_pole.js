// Chapter 7: a pole on a cart. PPO learns in the page to keep it up.
import { button, choice, stage, statusLine } from "../parts/controls.js";
import { html, say } from "../parts/dom.js";
import { calm, playback, playOnce } from "../parts/playback.js";
import { traits } from "../parts/traits.js";
import { curveOf } from "./cart_pole_curve.js";
import { sceneOf, theatre } from "./cart_pole_scene.js";
import { schoolOf } from "./cart_pole_school.js";
import { walkOf } from "./cart_pole_walk.js";
import { DIALS, sentence } from "./cart_pole_words.js";

const HINT = "Press Train: PPO learns to keep the pole up, here in your browser.";
const FIRST_WALKS = 3; // shown before anybody asks
const still = () => calm() || typeof requestAnimationFrame === "undefined";

function render({ model, el }) {
  const state = traits(model);
  const school = schoolOf(state, grown);
  const frame = () => Math.min(state.get("frame"), school.done());
  const hall = hallOf(state, school, frame, draw);
  const perform = () => hall.perform(play.playing() || school.learns());
  const play = transport(state, school, () => [perform, draw].map((run) => run()));
  const turn = turnOf(state, play);
  const curve = curveOf(state, school, (at) => turn({ frame: at }));
  const dials = dialsOf(state, (changes) => {
    turn({ ...changes, frame: 0 });
    play.start();
  });
  const status = statusLine(4);
  function draw() {
    curve.draw(frame());
    for (const dial of dials) dial.draw();
    play.update();
    say(status, sentence(school.record(), frame()), play.playing());
  }
  function grown(over) {
    if (over && !play.playing()) perform();
    draw();
  }
  function look() {
    school.follow();
    if (!play.playing() || still()) perform();
    draw();
  }
  el.append(bodyOf(state, hall, dials, [play.node, status, curve.node]));
  school.follow();
  hall.rest();
  draw();
  state.watch(["frame", "config", "seed"], look);
  const forget = playOnce(el, hall.first, () => {});
  return () => {
    for (const undo of [state.off, play.stop, school.stop, hall.stop, forget]) undo();
  };
}

/** What plays gives way to the reader. */
const turnOf = (state, play) => (changes) => {
  play.stop();
  state.set(changes);
};

function bodyOf(state, { node }, dials, side) {
  const face = html("div", { class: "live-pole-dials" }, ...dials.map((dial) => dial.node));
  return stage(state, { hint: HINT, picture: [node, face], side, cls: "live-poles" });
}

/** Where the policy that is shown performs: walk after walk while it learns; otherwise one walk, or its picture where
 *  nothing is to move. */
function hallOf(state, school, frame, draw) {
  const walk = (turn) => walkOf(school.record().frames[frame()], state.get("config"), state.get("seed"), turn);
  const scene = sceneOf(state.get("alt"));
  const show = theatre(scene, draw);
  const rest = () => show.rest(walk());
  return {
    node: scene.node,
    rest,
    stop: show.stop,
    perform: (learns) => (still() ? rest() : show.run(learns ? walk : times(1, walk))),
    /** What is shown before anybody asks. */
    first: { start: () => show.run(times(FIRST_WALKS, walk)), stop: show.stop, playing: show.playing },
  };
}

/** Hands out so many walks, no two of them alike, then none. */
function times(count, walk) {
  let turn = 0;
  return () => (turn < count ? walk(turn++) : null);
}

/** Train, Back, Step and Reset through the iterations. Training runs ahead of what is shown. */
function transport(state, school, draw) {
  const words = (k) => String(Math.min(k, school.done()));
  const reset = () => state.set(state.get("first"));
  const look = { delay: 16, verb: "Train", label: "iteration", words };
  return playback(state, "frame", { last: school.last, ...look, reset, draw });
}

/** The dials, and another seed; `turn` is told what the reader wants. */
function dialsOf(state, turn) {
  const config = () => state.get("config");
  const dials = Object.entries(DIALS).map(([name, [label, values, words]]) =>
    dialOf(
      label,
      values,
      words,
      () => config()[name],
      (value) => turn({ config: { ...config(), [name]: value } }),
    ),
  );
  const seed = button("Another seed", () => turn({ seed: state.get("seed") + 1 }));
  return [...dials, { node: html("div", { class: "live-buttons" }, seed), draw() {} }];
}

/** A list of values; one that a link or Python has set joins it. */
function dialOf(label, values, words, get, set) {
  const own = [...values];
  const { node, pick } = choice(
    label,
    own.map((v, n) => [n, words(v)]),
    (n) => set(own[n]),
  );
  const draw = () => {
    if (!own.includes(get())) pick.append(html("option", { value: own.push(get()) - 1 }, words(get())));
    pick.value = own.indexOf(get());
  };
  return { node, draw };
}

export default { render };
