// Chapter 7: trainings whose names are hidden. The reader says what is wrong with each, and is told where it shows.
import { button, choice, stage, statusLine } from "../parts/controls.js";
import { html, say, show } from "../parts/dom.js";
import { traits } from "../parts/traits.js";
import { panel } from "./spot_the_bug_panel.js";

const HINT = "Say what is wrong with each run. One of them is healthy.";
const LETTERS = ["A", "B", "C", "D"];

function render({ model, el }) {
  const state = traits(model);
  const cards = state.get("runs").map((run, i) => card(state, run, i));
  const status = statusLine(2);
  const over = button("Start over", () => state.set({ picks: state.get("picks").map(() => -1), last: -1 }));
  const side = [status, html("div", { class: "live-buttons" }, over)];
  function draw() {
    for (const { update } of cards) update();
    over.disabled = state.get("last") < 0;
    say(status, verdict(state));
  }
  const picture = [html("div", { class: "live-bugs" }, ...cards.map(({ node }) => node))];
  el.append(stage(state, { hint: HINT, picture, side, cls: "live-spot" }));
  draw();
  state.watch(["picks", "last"], draw);
  return state.off;
}

/** One run: its curves, and the list of what may be wrong with it. */
function card(state, run, i) {
  const panels = run.curves.map((curve, k) => {
    const [title, scale] = [state.get("titles")[k], state.get("scales")[k]];
    return panel({ title, scale, curve, run: LETTERS[i] });
  });
  const options = [["-1", "what is it?"], ...state.get("bugs").map(({ name }, b) => [String(b), name])];
  const pick = (b) =>
    state.set({ picks: state.get("picks").map((was, j) => (j === i ? Number(b) : was)), last: Number(b) < 0 ? -1 : i });
  const list = choice(`Run ${LETTERS[i]}`, options, pick);
  const note = html("p", { class: "live-caption" }, run.note);
  const told = html("p", { class: "live-caption live-bug-told", "aria-hidden": "true" }); // the verdict is far off
  const node = html("div", { class: "live-bug" }, list.node, told, note, ...panels.map((one) => one.node));
  function update() {
    const picked = picksOf(state)[i];
    list.pick.value = String(picked);
    node.dataset.found = picked < 0 ? "" : String(picked === run.bug);
    told.textContent = picked < 0 ? "" : saidOf(state.get("bugs"), run, picked);
    const telling = state.get("titles").indexOf(state.get("bugs")[run.bug].tells);
    panels.forEach((one, k) => {
      one.node.classList.toggle("live-telling", picked === run.bug && k === telling);
    });
  }
  return { node, update };
}

/** What the reader has picked; a link may say what is none. */
const picksOf = (state) => state.get("picks").map((b) => (state.get("bugs")[b] ? b : -1));

const saidOf = (bugs, run, picked) => (picked === run.bug ? `yes. ${bugs[run.bug].yes}` : `no. ${bugs[picked].no}`);

/** What is said of the last answer, and how many are found. */
function verdict(state) {
  const [runs, bugs, last] = ["runs", "bugs", "last"].map(state.get);
  const picks = picksOf(state);
  if (!(picks[last] >= 0))
    return `${runs.length} training runs of ${runs[0].curves[0].length} iterations each, with no names.`;
  const found = runs.filter((run, i) => picks[i] === run.bug).length;
  const words = `Run ${LETTERS[last]}: ${saidOf(bugs, runs[last], picks[last])}`;
  return `${words} ${found === runs.length ? "All found." : `${show(found)} of ${runs.length} found.`}`;
}

export default { render };
