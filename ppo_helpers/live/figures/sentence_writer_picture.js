// The sentence as it is written, and the bars to click.
import { chanceAxis, chanceLine } from "../parts/chances.js";
import { legendOf } from "../parts/controls.js";
import { html } from "../parts/dom.js";
import { visible } from "../parts/tokens.js";
import { candidates, KEPT, restOf } from "../twins/softmax.js";

const SURPRISING = 8; // −log p from which on a token has its full colour

/** The text; what was written has a colour, the deeper the less it was expected. */
export function writing() {
  const node = html("p", { class: "live-writing", role: "group", "aria-label": "the text", tabindex: 0 });
  let length = Infinity;
  const put = ({ tokens }) => {
    const prompt = tokens.filter(({ logprob }) => logprob === null).map(shown);
    node.replaceChildren(prompt.join(""), ...tokens.slice(prompt.length).map(written));
    if (tokens.length > length) node.scrollTop = node.scrollHeight; // where something was written
    length = tokens.length;
  };
  return { node, put };
}

const shown = ({ piece }) => piece.replaceAll("\n", "⏎");

function written(token) {
  const surprise = Math.min(-token.logprob / SURPRISING, 1).toFixed(3);
  return html("mark", { style: `--surprise: ${surprise}` }, shown(token));
}

/** A button for each likely token, and a bar for all others together, on one axis. */
export function barsToWrite(state, write) {
  const buttons = Array.from({ length: KEPT }, (_, i) =>
    chanceLine("button", { type: "button", onclick: () => write(i), "data-lm-suppress-shortcuts": "true" }),
  );
  const others = chanceLine();
  const group = { class: "live-chances", role: "group", "aria-label": state.get("alt") };
  const node = html("div", group, ...buttons.map((line) => line.node), others.node, chanceAxis());
  function put({ row, temperature, topK, over, busy }) {
    const [chances, plain] = [candidates(row, temperature, topK), candidates(row, 1, KEPT + 1)];
    chances.forEach((p, i) => {
      const line = buttons[i];
      line.put(visible(row.pieces[i]), p, plain[i], "live-chance-pick");
      line.node.disabled = over || busy || p === 0;
    });
    others.put("all others", restOf(row, temperature, topK), restOf(row, 1, KEPT + 1), "live-chance-others");
    node.classList.toggle("live-chances-plain", temperature === 1 && topK > KEPT); // marks would stand where bars end
  }
  return { node: html("div", {}, node, key()), put };
}

const key = () =>
  legendOf([
    ["live-chance-key", "the likeliest tokens"],
    ["live-chance-key live-chance-others", "all others"],
    ["live-chance-mark-key", "at τ = 1, no cut"],
  ]);
