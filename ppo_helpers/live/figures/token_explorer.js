// Chapter 8: a sentence in tokens; for the chosen one, what the model expects next.
import { afterwards } from "../parts/chances.js";
import { choice, facts, slider, stage, statusLine } from "../parts/controls.js";
import { say } from "../parts/dom.js";
import { playback, playOnce } from "../parts/playback.js";
import { chance, logWords, quoted } from "../parts/tokens.js";
import { traits } from "../parts/traits.js";
import { candidates, KEPT, nextLogprob, probability } from "../twins/softmax.js";
import { candidateBars, sentenceChips } from "./token_explorer_picture.js";

const HINT = "Click a token: the bars are what the model expects after it. Then turn the temperature.";

function render({ model, el }) {
  const state = traits(model);
  const chips = sentenceChips(state);
  const heading = afterwards();
  const bars = candidateBars(state);
  const sentences = state.get("sentences").map(({ pieces }, i) => [i, pieces.join("")]);
  const sentence = choice("sentence", sentences, (i) => state.set({ sentence: +i, token: 0 }));
  const play = reading(state);
  const status = statusLine(4);
  const numbers = facts();
  function draw() {
    const view = viewOf(state);
    sentence.pick.value = state.get("sentence");
    chips.put(view);
    heading.put(view);
    bars.put(view);
    numbers.put(sums(view));
    say(status, wordsOf(view), play.playing());
  }
  const side = [sentence.node, play.node, ...cuts(state), status, numbers.node];
  const body = stage(state, { hint: HINT, picture: [chips.node, heading.node, bars.node], side });
  el.append(body);
  draw();
  state.watch(["sentence", "token", "temperature", "top_k"], draw);
  const forget = playOnce(body, play, play.rewind);
  return () => {
    state.off();
    play.stop();
    forget();
  };
}

/** Token after token. The first reading, which nobody asked for, ends where the figure opens. */
function reading(state) {
  let goal = null;
  const end = () => state.get("sentences")[state.get("sentence")].pieces.length - 1;
  const reset = () => state.set({ sentence: 0, temperature: 1, top_k: KEPT + 1 });
  const play = playback(state, "token", {
    last: () => goal ?? end(),
    home: state.get("start"),
    delay: 900,
    verb: "Read",
    reset,
    draw: () => {
      if (!play.playing()) goal = null;
    },
  });
  const rewind = () => {
    goal = state.get("start");
    state.set({ token: 0 });
  };
  return { ...play, rewind };
}

const cuts = (state) => [
  slider(state, "temperature", { label: "temperature τ", min: 0.1, max: 2, step: 0.1 }).node,
  slider(state, "top_k", {
    label: "top-k",
    min: 1,
    max: KEPT + 1,
    step: 1,
    words: (k) => (k > KEPT ? "all" : String(k)),
  }).node,
];

/** All that the picture and the words are made of. */
function viewOf(state) {
  const [now, temperature, topK] = ["token", "temperature", "top_k"].map(state.get);
  const { pieces, rows } = state.get("sentences")[state.get("sentence")];
  const logprobs = rows.map((row) => nextLogprob(row, temperature, topK));
  const [row, piece, next, logprob] = [rows[now], pieces[now], pieces[now + 1], logprobs[now]];
  const chances = candidates(row, temperature, topK);
  const vocabulary = String(state.get("vocabulary")).replace(/\B(?=(\d{3})+$)/g, ",");
  return { pieces, logprobs, now, row, piece, next, logprob, chances, temperature, topK, vocabulary };
}

function sums({ logprobs, now, logprob }) {
  const known = logprobs.slice(0, now + 1).filter((v) => v !== null);
  const sum = known.reduce((total, v) => total + v, 0);
  return [
    ["log-prob of the next token", logWords(logprob, 3)],
    ["sum from the start", logWords(sum, 3)],
    ["geometric mean", chance(probability(sum / known.length))],
  ];
}

function wordsOf({ piece, next, row, logprob, chances, topK, vocabulary }) {
  const after = quoted(piece);
  if (logprob === null) {
    return `After ${after} nothing is written yet. The likeliest is ${quoted(row.pieces[0])}, ${chance(chances[0])}.`;
  }
  if (logprob === -Infinity) {
    const [few, out] = topK === 1 ? ["The likeliest", "is not"] : [`The ${topK} likeliest`, "leave out"];
    return `${few} of ${vocabulary} tokens after ${after} ${out} ${quoted(next)}: it would never be written.`;
  }
  const p = `probability ${chance(probability(logprob))}`;
  return `After ${after} the model gives ${quoted(next)} ${p}: a log-probability of ${logWords(logprob, 3)}.`;
}

export default { render };
