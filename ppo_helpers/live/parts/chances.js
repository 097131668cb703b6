// Probabilities of the next token as bars on one axis from 0 to 1, and the line above them.
import { html, show } from "./dom.js";
import { chance } from "./tokens.js";

const CONTEXT = 20; // how many letters of what has been read are repeated

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

/** One token, its bar, its probability, and a mark where the bar ends with neither temperature nor cut. */
export function chanceLine(tag = "div", attrs = {}) {
  const [word, bar, mark, value] = ["word", "bar", "mark", "number"].map((part) =>
    html("span", { class: `live-chance-${part}` }),
  );
  const node = html(
    tag,
    { class: "live-chance-line", ...attrs },
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

/** The axis from 0 to 1 below them. */
export function chanceAxis() {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((p) => html("span", { style: `left: ${100 * p}%` }, show(p, 2)));
  const words = html("span", { class: "live-chance-word" }, "probability");
  return html(
    "div",
    { class: "live-chance-line live-chance-axis" },
    words,
    html("span", { class: "live-chance-track" }, ...ticks),
  );
}
