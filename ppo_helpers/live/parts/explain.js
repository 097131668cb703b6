// Why a cell is worth what it is worth: the rule V = max γ V' − c, written out in numbers for one cell.
import { actionValues } from "../twins/planning.js";
import { html, show, svg } from "./dom.js";

/** What the rule makes of cell (r, c) in a plan: `words` say what is done, `terms` are the neighbours that can be
 *  entered, in the order up, right, down, left. When all values are final the rule gives back the cell's own, before it
 *  the next. */
export function explain(plan, [r, c]) {
  const { world } = plan;
  const s = world.index[r]?.[c];
  const nothing = (words) => ({ words, terms: [] });
  if (s === undefined) return nothing("");
  if (s < 0) return nothing("A wall: nobody can stand there.");
  if (world.reward[s] !== null) return nothing("The walk ends there. Such a cell is worth what it pays.");
  const terms = termsOf(plan, s);
  if (!terms.length) return nothing("Walled in: a walk there never ends.");
  const when = plan.settled() ? "Dashed cell" : "Next sweep";
  const which = terms.length > 1 ? "the best neighbour" : "its only neighbour";
  return { words: `${when}: ${which}, less the move's cost${aside(terms, plan)}.`, terms };
}

/** What the formula does not say by itself. */
function aside(terms, { gamma, settled }) {
  if (!settled() && terms.some(({ value }) => value === -Infinity)) return " (? is the least)";
  return gamma < 1 && terms.some(({ factor }) => factor === 1) ? " (ends count in full)" : "";
}

function termsOf(plan, s) {
  const { world, gamma } = plan;
  const values = plan.values();
  const promises = actionValues(world, values, gamma, s);
  const most = Math.max(...promises);
  const near = most - 1e-9 * Math.max(1, Math.abs(most)); // as in greedyPolicy
  const open = [0, 1, 2, 3].filter((a) => world.next[s][a] >= 0);
  return open.map((a) => {
    const to = world.next[s][a];
    const factor = world.reward[to] === null ? gamma : 1;
    const best = promises[a] === most || promises[a] >= near;
    return { at: world.states[to], value: values[to], factor, promise: promises[a], best };
  });
}

/** The formula in pieces [words, is it the best?]: "max(", "1", ", ", "3", ") − 1 = 2". */
export function formula({ terms }, cost, settled) {
  if (!terms.length) return [];
  const number = (v) => (v === -Infinity && !settled ? "?" : show(v, 2));
  const factored = ({ value, factor }) =>
    factor === 1 ? number(value) : `${show(factor, 2)} · ${value < 0 ? `(${number(value)})` : number(value)}`;
  const result = Math.max(...terms.map(({ promise }) => promise));
  const shown = [cost, result, ...terms.flatMap(({ value, factor }) => [value, factor])];
  const end = `${cost ? ` − ${show(cost, 2)}` : ""} ${shown.every(isShort) ? "=" : "≈"} ${number(result)}`;
  if (terms.length === 1) return [[factored(terms[0]), true], [end]];
  const list = terms.flatMap((term, i) => [...(i ? [[", "]] : []), [factored(term), term.best]]);
  return [["max("], ...list, [`)${end}`]];
}

/** True if two decimals say it all. */
const isShort = (v) => Math.abs(v) === Infinity || Math.abs(v - Number(v.toFixed(2))) < 1e-9;

/** The sentence and the formula, in room that does not change. Call `put` with what explain found. */
export function explanation() {
  const words = html("p", { class: "live-why" });
  const numbers = html("p", { class: "live-formula" });
  const piece = ([text, best]) => html(best ? "strong" : "span", {}, text);
  const node = html("div", { class: "live-explanation" }, words, numbers);
  return {
    node,
    put(found, plan, quiet) {
      node.setAttribute("aria-live", quiet ? "off" : "polite");
      words.textContent = quiet ? "" : found.words;
      const pieces = quiet ? [] : formula(found, plan.world.moveCost, plan.settled());
      numbers.classList.toggle("live-long", pieces.map(([text]) => text).join("").length > 44);
      numbers.replaceChildren(...pieces.map(piece));
    },
  };
}

/** Light on the neighbours that the rule looks at, most on the best, and a frame around the cell that asks. */
export function spotlight([r, c], { terms }) {
  const square = ([row, column], cls, inset) => {
    const corner = { x: 100 * column + inset, y: 100 * row + inset };
    return svg("rect", { ...corner, width: 100 - 2 * inset, height: 100 - 2 * inset, rx: 6, class: cls });
  };
  const neighbours = terms.map(({ at, best }) => square(at, best ? "live-lit live-best" : "live-lit", 4));
  return terms.length ? [...neighbours, square([r, c], "live-asked", 3)] : [];
}
