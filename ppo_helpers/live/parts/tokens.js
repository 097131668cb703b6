// Tokens as readers see them: chips to click, and numbers that do not call nothing what is only small.
import { html, show } from "./dom.js";

/** A probability with four decimals; rounding alone makes nothing impossible or certain. */
export function chance(p) {
  if (p > 0 && p < 0.0001) return "<\u00a00.0001";
  return p > 0.9999 && p < 1 ? ">\u00a00.9999" : show(p, 4);
}

/** A log-probability; only that of a certain token is 0. Nothing, if there is none. */
export function logWords(logprob, digits) {
  if (logprob === null) return "–";
  return logprob < 0 && logprob > -0.5 * 0.1 ** digits ? "≈ 0" : show(logprob, digits);
}

/** The same in a chip: at most five signs, so that no chip grows. */
export const logChip = (logprob) => logWords(logprob, logprob <= -99.5 ? 0 : logprob <= -9.95 ? 1 : 2);

const raised = (power) => String(power).replace(/./g, (sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[+sign]));

/** A power of ten. */
export const ten = (power) => `10${raised(power)}`;

/** A ratio with about three digits; one that is too small or too large for them as a power of ten. */
export function times(ratio) {
  if (ratio === 0 || ratio === Infinity) return ratio ? "∞" : "≈ 0"; // beyond what a number can hold
  if (ratio >= 0.01 && ratio < 999.5) return show(ratio, ratio < 10 ? 2 : ratio < 100 ? 1 : 0);
  const [digits, power] = ratio.toExponential(1).split("e");
  return `${+digits} · ${ten(+power)}`;
}

/** A token for a small place: spaces and line ends made visible, parts of a character named in short. */
export const visible = (piece) =>
  piece.replaceAll("⟨part of a character⟩", "⟨part⟩").replaceAll(" ", "·").replaceAll("\n", "⏎");

/** A token in a sentence, in quotation marks; a line end has a sign there too. */
export const quoted = (piece) => `“${piece.replaceAll("\n", "⏎")}”`;

/** A token as a button; `kids` are what stands below its text. */
export function tokenChip(piece, cls = "", ...kids) {
  const look = {
    class: `live-token ${cls}`,
    type: "button",
    "aria-pressed": "false",
    "data-lm-suppress-shortcuts": "true",
  };
  return html("button", look, html("span", {}, visible(piece)), ...kids);
}

/** Mark the chosen chip; the tab key stops at this one alone. */
export function choose(chips, chosen) {
  chips.forEach((chip, i) => {
    chip.setAttribute("aria-pressed", i === chosen);
    chip.tabIndex = i === chosen ? 0 : -1;
  });
}

/** Clicks and arrow keys choose a chip. */
export function choosing(node, onpick) {
  const all = () => [...node.querySelectorAll(".live-token")];
  const pick = (i) => {
    if (!all()[i]) return;
    onpick(i);
    all()[i].focus();
  };
  node.addEventListener("click", (event) => {
    const chip = event.target.closest(".live-token");
    if (chip) pick(all().indexOf(chip));
  });
  node.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const at = all().indexOf(event.target);
    if (!by || at < 0) return;
    event.preventDefault();
    pick(at + by);
  });
}
