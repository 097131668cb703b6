// Chapter 8: write a sentence with a language model, by hand or by dice.
import { afterwards } from "../parts/chances.js";
import { button, facts, ownText, slider, stage, statusLine } from "../parts/controls.js";
import { html, say } from "../parts/dom.js";
import { logWords } from "../parts/tokens.js";
import { traits } from "../parts/traits.js";
import { KEPT } from "../twins/softmax.js";
import { mind } from "./sentence_writer_mind.js";
import { barsToWrite, writing } from "./sentence_writer_picture.js";
import { scribe } from "./sentence_writer_scribe.js";
import { wordsOf } from "./sentence_writer_words.js";

const HINT = "Click a bar to write that token, or let the dice choose. Then turn the temperature.";

function render({ model, el }) {
  const state = traits(model);
  const writer = scribe(state, mind(model), draw);
  const text = writing();
  const heading = afterwards();
  const bars = barsToWrite(state, writer.write);
  const controls = dials(state, writer);
  const status = statusLine(4);
  const numbers = facts();
  function draw() {
    const view = viewOf(state, writer);
    text.put(view);
    heading.put(view);
    bars.put(view);
    controls.put(view);
    numbers.put(sums(view));
    say(status, wordsOf(view), view.going);
  }
  const side = [...controls.nodes, status, numbers.node];
  el.append(stage(state, { hint: HINT, picture: [text.node, heading.node, bars.node], side }));
  draw();
  state.watch(["tokens", "row", "temperature", "top_k"], draw);
  return () => {
    writer.stop();
    state.off();
  };
}

/** All that the picture and the words are made of. */
function viewOf(state, writer) {
  const [tokens, row, context, temperature, topK] = "tokens row context temperature top_k".split(" ").map(state.get);
  const pieces = tokens.map(({ piece }) => piece);
  return { tokens, pieces, now: tokens.length - 1, row, context, temperature, topK, ...writer.now() };
}

function dials(state, writer) {
  const begin = ownText("begin with", writer.begin);
  const roll = button("Roll dice", writer.roll);
  const on = button("Write on", writer.writeOn);
  const [undo, reset] = [button("Undo", writer.undo), button("Reset", writer.reset)];
  const cut = { label: "top-k", min: 1, max: KEPT + 1, step: 1, words: (k) => (k > KEPT ? "all" : String(k)) };
  const cuts = [
    slider(state, "temperature", { label: "temperature τ", min: 0.1, max: 2, step: 0.1 }).node,
    slider(state, "top_k", cut).node,
  ];
  let shown = null;
  function put({ tokens, over, busy, going }) {
    if (shown !== state.get("prompt")) begin.input.value = shown = state.get("prompt");
    roll.disabled = over || busy;
    on.disabled = over || (busy && !going);
    on.textContent = going ? "Pause" : "Write on";
    undo.disabled = busy || tokens.at(-1).logprob === null;
    begin.start.disabled = busy;
  }
  return { nodes: [begin.node, html("div", { class: "live-buttons" }, roll, on, undo, reset), ...cuts], put };
}

function sums({ tokens }) {
  const written = tokens.filter(({ logprob }) => logprob !== null);
  const sum = written.reduce((total, { logprob }) => total + logprob, 0);
  return [
    ["log-prob of the last token", logWords(written.at(-1)?.logprob ?? null, 3)],
    [`log-prob of all ${written.length} written`, logWords(written.length ? sum : null, 3)],
  ];
}

export default { render };
