// Chapter 10: a text token by token, and how the score at its end becomes an advantage of every token.
import { button, choice, facts, legendOf, slider, stage, statusLine } from "../parts/controls.js";
import { html, say, show } from "../parts/dom.js";
import { glide, playOnce } from "../parts/playback.js";
import { choose, choosing, visible } from "../parts/tokens.js";
import { traits } from "../parts/traits.js";
import { gae } from "../twins/gae.js";
import { tokenRewards } from "../twins/token_rewards.js";
import { scaleOf, tokenLine, tokenTable } from "./token_advantages_rows.js";
import { wordsOf } from "./token_advantages_words.js";

const HINT = "Move λ and watch the score at the end travel up. Then click a token.";
const LEGEND = [
  ["live-worth-score", "score of the text"],
  ["live-worth-price", "price of KL"],
  ["live-worth-value", "value V before the token"],
  ["live-worth-advantage", "advantage Â"],
];

function render({ model, el }) {
  const state = traits(model);
  const opening = glide(state, "lam", { from: 0, by: 0.05, delay: 140, draw });
  const table = tableOf(state);
  const status = statusLine(8);
  const numbers = facts();
  const body = stage(state, {
    hint: HINT,
    picture: [table.node, legendOf(LEGEND)],
    side: [...controls(state), status, numbers.node],
    cls: "live-worth",
  });
  el.append(body);
  function draw() {
    const now = readText(state);
    table.put(now);
    numbers.put(factsOf(now));
    say(status, wordsOf(now), opening.playing());
  }
  draw();
  state.watch(["text", "token", "beta", "lam", "critic"], draw);
  const forget = playOnce(body, opening, opening.rewind);
  return () => {
    state.off();
    forget();
    opening.cancel();
  };
}

function controls(state) {
  const texts = state.get("texts").map(({ prompt, pieces }, i) => [i, `${prompt}${pieces.join("")}`.slice(0, 60)]);
  const { node, pick } = choice("text", texts, (i) => state.set({ token: 0, text: +i }));
  const share = { min: 0, words: (v) => show(v, 2) };
  const lam = slider(state, "lam", { ...share, label: "λ: how far back", max: 1, step: 0.05 });
  const beta = slider(state, "beta", { ...share, label: "β: price of KL, per nat", max: 0.5, step: 0.01 });
  const flip = button("Without the critic: V = 0", () => state.set({ critic: !state.get("critic") }));
  const update = () => {
    pick.value = String(state.get("text"));
    flip.setAttribute("aria-pressed", !state.get("critic"));
  };
  state.watch(["text", "critic"], update);
  update();
  const chooser = texts.length > 1 ? [node] : [];
  return [...chooser, lam.node, beta.node, html("div", { class: "live-buttons" }, flip)];
}

/** A row for every token; those of another text are made anew. */
function tableOf(state) {
  const table = tokenTable();
  let shown = -1;
  let lines = [];
  choosing(table.rows, (t) => state.set({ token: t }));
  function put(now) {
    if (now.index !== shown) {
      shown = now.index;
      const scale = scaleOf(now.text);
      lines = now.text.pieces.map((piece) => tokenLine(visible(piece), scale));
      table.begin(
        now.text.prompt,
        lines.map((line) => line.node),
      );
    }
    lines.forEach((line, t) => {
      line.put({ ...now, t });
    });
    choose(
      lines.map((line) => line.chip),
      now.token,
    );
  }
  return { node: table.node, put };
}

/** The text as it stands, with all that follows from it. */
function readText(state) {
  const [index, lam, beta, critic] = ["text", "lam", "beta", "critic"].map((name) => state.get(name));
  const text = state.get("texts")[index];
  const rewards = tokenRewards(text.log_ratios, text.score, beta);
  const values = critic ? text.values : text.values.map(() => 0);
  const token = Math.min(state.get("token"), text.pieces.length - 1);
  return { index, text, token, lam, beta, critic, rewards, values, ...gae(rewards, values, 0, 1, lam) };
}

function factsOf({ text, rewards }) {
  const sum = (numbers) => numbers.reduce((total, v) => total + v, 0);
  return [
    ["score of the text", show(text.score, 2)],
    ["after prices", show(sum(rewards), 2)],
  ];
}

export default { render };
