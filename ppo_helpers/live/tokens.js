// What the figures of texts share: tokens to click, and probabilities of the next one; twins of token_explorer.py.
const KEPT = 12; // candidates that are kept; a top-k beyond them means no cut

const logSumExp = (x) => { const most = Math.max(...x); return most + Math.log(x.reduce((sum, v) => sum + Math.exp(v - most), 0)); };

/** What the probabilities of a position are divided by, as a logarithm. Temperatures come in tenths. */
function normaliser(row, temperature, topK) {
  if (topK > KEPT) return row.totals[Math.round(10 * temperature) - 1];
  return logSumExp(row.logits.slice(0, topK).map((v) => v / temperature));
}

/** Log-probability of the token that really follows; −∞ if the cut leaves it out, null where nothing follows. */
function nextLogprob(row, temperature, topK) {
  if (row.real === null) return null;
  const rank = row.ids.indexOf(row.real), kept = topK > KEPT || (rank >= 0 && rank < topK);
  return kept ? row.score / temperature - normaliser(row, temperature, topK) : -Infinity;
}

/** Probabilities of the kept candidates, in their order. */
function candidates(row, temperature, topK) {
  const total = normaliser(row, temperature, topK);
  return row.logits.map((v, i) => probability(topK > KEPT || i < topK ? v / temperature - total : -Infinity));
}

/** e to it, and 0 only if it is −∞: a softmax gives nobody 0, however little it leaves. */
const probability = (logprob) => (logprob === -Infinity ? 0 : Math.max(Math.exp(logprob), Number.MIN_VALUE));

/** A probability with four decimals; one that is too small for them is not shown as 0. */
const chance = (p) => (p > 0 && p < 0.0001 ? "< 0.0001" : show(p, 4));

/** What all other tokens have together: nothing after a cut, else a little at least. */
const restOf = (shown, topK, vocabulary) =>
  (topK <= KEPT || shown.length === vocabulary ? 0 : Math.max(1 - shown.reduce((sum, p) => sum + p, 0), Number.MIN_VALUE));

/** A token for a small place: spaces and line ends made visible, parts of a character named in short. */
const visible = (piece) => piece.replaceAll("⟨part of a character⟩", "⟨part⟩").replaceAll(" ", "·").replaceAll("\n", "⏎");

/** A token as a button: its text, a number below, and words for screen readers alone. */
const tokenChip = (piece, cls = "") => html("button", { type: "button", class: `live-token ${cls}`, "data-lm-suppress-shortcuts": "true" },
  html("span", {}, visible(piece)), html("small"), unseen(""));

/** Mark the chosen chip; the tab key stops at this one alone. */
function choose(chips, chosen) {
  chips.forEach((chip, i) => { chip.setAttribute("aria-pressed", i === chosen); chip.tabIndex = i === chosen ? 0 : -1; });
}

/** Clicks and arrow keys choose a chip. */
function choosing(node, onpick) {
  const all = () => [...node.querySelectorAll(".live-token")];
  const pick = (i) => { const chip = all()[i]; if (chip) { onpick(i); all()[i].focus(); } };
  node.addEventListener("click", (event) => { const chip = event.target.closest(".live-token"); if (chip) pick(all().indexOf(chip)); });
  node.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key], at = all().indexOf(event.target);
    if (!by || at < 0) return;
    event.preventDefault();
    pick(at + by);
  });
}
