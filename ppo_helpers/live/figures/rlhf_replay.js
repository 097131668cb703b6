// Chapter 11: a language model climbs a learned reward at two prices of KL; its curves, and what it writes on the way.
import { nearest } from "../parts/charts.js";
import { choice, facts, stage, statusLine } from "../parts/controls.js";
import { html, say, show } from "../parts/dom.js";
import { rewardKey } from "../parts/earnings.js";
import { playback, playOnce } from "../parts/playback.js";
import { traits } from "../parts/traits.js";
import { curveKey, runCurves, textRow } from "./rlhf_replay_picture.js";
import { sentence } from "./rlhf_replay_words.js";

const HINT = "Press Play and read the texts: the same prompts, the same reward model, two prices of KL.";

function render({ model, el }) {
  const state = traits(model);
  const iterations = state.get("iterations");
  const last = iterations.length - 1;
  const words = (k) => String(iterations[k]);
  const play = playback(state, "frame", { last: () => last, home: last, delay: 900, label: "iteration", words, draw });
  const columns = comparison(state, (at) => {
    play.stop();
    state.set({ frame: nearest(iterations, at) });
  });
  const [status, numbers, picks] = [statusLine(7), facts(), pickers(state)];
  function draw() {
    columns.draw();
    picks.update();
    numbers.put(numbersOf(state));
    say(status, sentence(state), play.playing());
  }
  const side = [play.node, status, numbers.node, ...picks.nodes, curveKey(), rewardKey()];
  const body = stage(state, { hint: HINT, picture: [columns.node], side, cls: "live-rlhf" });
  el.append(body);
  draw();
  state.watch(["frame", "pair"], draw);
  const forget = playOnce(body, play, () => state.set({ frame: 0 }));
  return () => {
    for (const undo of [state.off, play.stop, forget]) undo();
  };
}

/** Two runs side by side: above their curves, below what each made of the same prompts. */
function comparison(state, onscrub) {
  const heads = [0, 1].map(() => html("div", {}));
  const rows = state.get("prompts").map((prompt) => textRow(prompt));
  const node = html("div", {}, html("div", { class: "live-pair" }, ...heads), ...rows.map((row) => row.node));
  let [shown, curves] = ["", []];
  function build(pair) {
    if (String(pair) === shown) return;
    shown = String(pair);
    curves = pair.map((b) => runCurves(state, b, onscrub));
    heads.forEach((head, i) => {
      head.replaceChildren(html("p", { class: "live-caption" }, nameOf(state, pair[i])), curves[i].node);
    });
  }
  function draw() {
    const [pair, k] = [state.get("pair"), state.get("frame")];
    build(pair);
    for (const curve of curves) curve.draw(k);
    rows.forEach((row, p) => {
      row.put(pair.map((b) => ({ ...state.get("texts")[b][k][p], beta: state.get("betas")[b] })));
    });
  }
  return { node, draw };
}

const nameOf = (state, b) => `β = ${show(state.get("betas")[b], 3)}${state.get("betas")[b] ? "" : ", no price"}`;

/** A list of all β for each side. */
function pickers(state) {
  const options = state.get("betas").map((_, b) => [String(b), nameOf(state, b)]);
  const set = (side, b) => state.set({ pair: state.get("pair").map((was, i) => (i === side ? Number(b) : was)) });
  const lists = ["left", "right"].map((side, i) => choice(side, options, (b) => set(i, b)));
  const update = () => {
    lists.forEach((list, i) => {
      list.pick.value = String(state.get("pair")[i]);
    });
  };
  return { nodes: lists.map((list) => list.node), update };
}

function numbersOf(state) {
  const at = state.get("iterations")[state.get("frame")];
  const kl = (b) => (at ? show(state.get("curves")[b].kl[at - 1]) : "0");
  return state.get("pair").map((b, i) => [`KL ${i ? "right" : "left"}, nats`, kl(b)]);
}

export default { render };
