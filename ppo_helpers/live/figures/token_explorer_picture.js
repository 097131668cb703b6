// The token explorer's picture: the sentence in chips, and the next token's probabilities on one axis from 0 to 1.
import { legendOf } from "../parts/controls.js";
import { html, show } from "../parts/dom.js";
import { chance, choose, choosing, logChip, tokenChip, visible } from "../parts/tokens.js";
import { candidates, KEPT, nextLogprob, probability, rankOf, restOf } from "../twins/softmax.js";

const SURPRISING = 8; // −log p from which on a chip has its full colour
const CONTEXT = 20; // how many letters of what has been read are repeated

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

/** What the bars are about, in one line: the last words that have been read. */
export function afterwards() {
  const text = html("b");
  const put = ({ pieces, now }) => {
    let from = now;
    while (from > 0 && pieces.slice(from - 1, now + 1).join("").length <= CONTEXT) from -= 1;
    const read = pieces
      .slice(from, now + 1)
      .join("")
      .trimStart();
    text.textContent = `Next token after “${from ? "… " : ""}${read}”`;
  };
  return { node: html("p", { class: "live-chance-heading" }, text), put };
}

/** A bar for each likely token, for the one that follows, and for all others together: all on the same axis. */
export function candidateBars(state) {
  const lines = Array.from({ length: KEPT + 2 }, barLine);
  const node = html("div", { class: "live-chances", role: "img" }, ...lines.map((line) => line.node), axis());
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

/** One token, its bar, its probability, and a mark where the bar ends with neither temperature nor cut. */
function barLine() {
  const [word, bar, mark, value] = ["word", "bar", "mark", "number"].map((part) =>
    html("span", { class: `live-chance-${part}` }),
  );
  const node = html(
    "div",
    { class: "live-chance-line" },
    word,
    html("span", { class: "live-chance-track" }, bar, mark),
    value,
  );
  const put = (words, p, plain, cls) => {
    word.textContent = words;
    value.textContent = p === 0 ? "cut: 0" : chance(p);
    bar.style.width = percent(p);
    bar.classList.toggle("live-chance-none", p === 0);
    mark.style.left = percent(plain);
    node.className = `live-chance-line ${cls}`;
  };
  const clear = () => {
    put("", 1, 0, "live-chance-blank");
    value.textContent = "";
  };
  return { node, put, clear };
}

const percent = (p) => `${(100 * p).toFixed(2)}%`;

function axis() {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((p) => html("span", { style: `left: ${100 * p}%` }, show(p, 2)));
  const words = html("span", { class: "live-chance-word" }, "probability");
  return html(
    "div",
    { class: "live-chance-line live-chance-axis" },
    words,
    html("span", { class: "live-chance-track" }, ...ticks),
  );
}

const barKey = () =>
  legendOf([
    ["live-chance-key live-chance-real", "what follows here"],
    ["live-chance-key", "other tokens"],
    ["live-chance-key live-chance-others", "all others"],
    ["live-chance-mark-key", "at τ = 1, no cut"],
  ]);
