// The token explorer's picture: the sentence in chips, and the next token's probabilities on one axis from 0 to 1.
import { chanceAxis, chanceLine } from "../parts/chances.js";
import { legendOf } from "../parts/controls.js";
import { html } from "../parts/dom.js";
import { chance, choose, choosing, logChip, tokenChip, visible } from "../parts/tokens.js";
import { candidates, KEPT, nextLogprob, probability, rankOf, restOf } from "../twins/softmax.js";

const SURPRISING = 8; // −log p from which on a chip has its full colour

/** The sentence. Below each token stands its own log-probability; the deeper its colour, the less it was expected. */
export function sentenceChips(state) {
  const node = html("div", { class: "live-text", role: "group", "aria-label": "tokens of the sentence" });
  let [chips, written] = [[], null];
  choosing(node, (token) => state.set({ token }));
  function write(pieces) {
    written = pieces;
    chips = pieces.map((piece) => tokenChip(piece, "live-surprise", html("small")));
    node.replaceChildren(...chips);
  }
  function put({ pieces, logprobs, now }) {
    if (written !== pieces) write(pieces);
    chips.forEach((chip, t) => {
      const logprob = t ? logprobs[t - 1] : null;
      chip.lastElementChild.textContent = logChip(logprob);
      chip.style.setProperty("--surprise", logprob === null ? 0 : Math.min(-logprob / SURPRISING, 1).toFixed(3));
      chip.classList.toggle("live-surprise-next", t === now + 1);
    });
    choose(chips, now);
  }
  return { node: html("div", { class: "live-sentence" }, node, surpriseKey()), put };
}

const surpriseKey = () =>
  html(
    "p",
    { class: "live-note live-surprise-key" },
    "Below each token: its log-probability, given those before it.",
    html(
      "span",
      { class: "live-item" },
      "0",
      html("span", { class: "live-surprise-fade", "aria-hidden": "true" }),
      "−8 or less",
    ),
  );

/** A bar for each likely token, for the one that follows, and for all others together: all on the same axis. */
export function candidateBars(state) {
  const lines = Array.from({ length: KEPT + 2 }, () => chanceLine());
  const node = html("div", { class: "live-chances", role: "img" }, ...lines.map((line) => line.node), chanceAxis());
  function put(view) {
    const { row, chances, temperature, topK, logprob, next } = view;
    const plain = candidates(row, 1, KEPT + 1);
    chances.forEach((p, i) => {
      lines[i].put(visible(row.pieces[i]), p, plain[i], row.ids[i] === row.real ? "live-chance-real" : "");
    });
    const beyond = logprob !== null && rankOf(row) < 0;
    if (beyond) lines[KEPT].put(visible(next), probability(logprob), plainChance(row), "live-chance-real");
    else lines[KEPT].clear();
    lines[KEPT + 1].put("all others", restOf(row, temperature, topK), restOf(row, 1, KEPT + 1), "live-chance-others");
    node.classList.toggle("live-chances-plain", temperature === 1 && topK > KEPT); // marks would stand where bars end
    node.setAttribute("aria-label", `${state.get("alt")} ${likeliest(view)}`);
  }
  return { node: html("div", { class: "live-candidates" }, node, barKey()), put };
}

const plainChance = (row) => probability(nextLogprob(row, 1, KEPT + 1));

const likeliest = ({ piece, row, chances }) =>
  `Likeliest after “${piece}”: ${[0, 1, 2].map((i) => `“${row.pieces[i]}” ${chance(chances[i])}`).join(", ")}.`;

const barKey = () =>
  legendOf([
    ["live-chance-key live-chance-real", "what follows here"],
    ["live-chance-key", "other tokens"],
    ["live-chance-key live-chance-others", "all others"],
    ["live-chance-mark-key", "at τ = 1, no cut"],
  ]);
