// What happened in two trainings, in words that fit any run.
import { show } from "../parts/dom.js";

/** Both runs at the iteration shown, and whether one of them has turned by then. */
export function sentence(state) {
  const at = state.get("iterations")[state.get("frame")];
  if (at === 0) return "Iteration 0: both sides are still the fine-tuned model and write the same.";
  return [`Iteration ${at}.`, ...state.get("pair").map((b) => ofRun(state, b, at))].join("\n");
}

function ofRun(state, b, at) {
  const { reward, gold } = state.get("curves")[b];
  const turn = state.get("turns")[b];
  const scores = `reward ${show(reward[at - 1], 2)}, gold ${show(gold[at - 1], 2)}`;
  return `β = ${show(state.get("betas")[b], 3)}: ${scores}${sinceTurn(turn, at)}.`;
}

function sinceTurn(turn, at) {
  if (turn === null) return "";
  if (at <= turn) return "; the turn is still to come";
  return `; ${at - turn} after the turn`;
}
