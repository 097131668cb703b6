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
  const walk = (turn) => walkOf(school.record().frames[frame()], state.get("config"), state.get("seed"), turn);
  const scene = sceneOf(state.get("alt"));
  const show = theatre(scene, draw);
  const play = transport(state, school, () => [perform, draw].map((run) => run()));
  const curve = curveOf(state, school, (at) => turn({ frame: at }));
  const dials = dialsOf(state, (changes) => turn({ ...changes, frame: 0 }, play.start));
  const status = statusLine(4);
  /** What plays gives way to the reader. */
  function turn(changes, after = () => {}) {
    play.stop();
    state.set(changes);
    after();
  }
  function draw() {
    curve.draw(frame());
    for (const dial of dials) dial.draw();
    play.update();
    say(status, sentence(school.record(), frame()), play.playing());
  }
  /** Walk after walk while it learns; otherwise one walk, or its picture where nothing is to move. */
  function perform() {
    const learns = play.playing() || state.get("frame") > school.done();
    if (still()) show.rest(walk());
    else show.run(learns ? walk : times(1, walk));
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
  const face = html("div", { class: "live-pole-dials" }, ...dials.map(({ node }) => node));
  const side = [play.node, status, curve.node];
  const body = stage(state, { hint: HINT, picture: [scene.node, face], side, cls: "live-poles" });
  el.append(body);
  school.follow();
  show.rest(walk());
  draw();
  state.watch(["frame", "config", "seed"], look);
  const first = { start: () => show.run(times(FIRST_WALKS, walk)), stop: show.stop, playing: show.playing };
  const forget = playOnce(body, first, () => {});
  return () => {
    for (const undo of [state.off, play.stop, school.stop, show.stop, forget]) undo();
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
  const look = { delay: 25, verb: "Train", label: "iteration", words };
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
