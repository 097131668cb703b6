// What chapter 3's figure shows: trainings that were recorded, and those that the reader starts, which run in the page.
import { adam, layersOf, lossGradients, predict } from "../twins/value_network.js";

const SLICE = 8; // milliseconds of training at a time: the page stays responsive

/** What the network sees of every state: column and row, scaled to [−1, 1]; 0 along a side of one cell. */
export function observations({ states, cells }) {
  const scaled = (at, size) => (size > 1 ? (2 * at) / (size - 1) - 1 : 0);
  return states.map(([r, c]) => [scaled(c, cells[0].length), scaled(r, cells.length)]);
}

/** The recorded trainings: which cells they were shown, what they predicted, and how wrong that was. */
export function recordedRuns(state) {
  const truth = state.get("truth");
  return state.get("visited").map((cells, i) => {
    const run = newRun(cells);
    for (const frame of state.get("frames")[i]) remember(run, frame, truth);
    return run;
  });
}

const newRun = (cells) => ({ cells: new Set(cells), frames: [], errors: [] });

/** Keep a prediction, with its root mean square errors on the cells shown and on the others: NaN if there are none. */
function remember(run, frame, truth) {
  const error = (shown) => {
    const missed = frame.map((v, s) => (v - truth[s]) ** 2).filter((_, s) => run.cells.has(s) === shown);
    return Math.sqrt(missed.reduce((sum, v) => sum + v, 0) / missed.length);
  };
  run.frames.push(frame);
  run.errors.push([error(true), error(false)]);
}

/** One training at a time: `start` gives back its run, which grows while the page goes on; `onframe` tells of new
 *  frames, and how many were known before. */
export function classroom(state, world, onframe) {
  const inputs = observations(world);
  let timer = null;
  const stop = () => clearTimeout(timer);
  return {
    stop,
    start(cells) {
      stop();
      const run = newRun(cells);
      const lesson = lessons(state, inputs, run);
      while (!run.frames.length) lesson.next(); // something to show at once
      const slice = () => {
        const known = run.frames.length;
        const end = performance.now() + SLICE;
        let over = false;
        while (!over && performance.now() < end) over = lesson.next().done;
        if (run.frames.length > known) onframe(run, known);
        if (!over) timer = setTimeout(slice, 0);
      };
      timer = setTimeout(slice, 0);
      return run;
    },
  };
}

/** Full-batch Adam on the cells that are shown, one step at a time; predictions are kept after the figure's steps. */
function* lessons(state, inputs, run) {
  const [truth, steps] = [state.get("truth"), state.get("steps")];
  const layers = layersOf(numbers(state.get("parameters")), state.get("sizes"));
  const improve = adam(layers, state.get("learning_rate"));
  const shown = [...run.cells];
  const lesson = [shown.map((s) => inputs[s]), shown.map((s) => truth[s])];
  for (let step = 0; step <= steps.at(-1); step++) {
    if (steps.includes(step) || !shown.length) remember(run, predict(layers, inputs), truth);
    if (!shown.length) return; // nothing to learn from: what it says is what it said before
    yield;
    improve(lossGradients(layers, ...lesson));
  }
}

const numbers = (text) => new Float32Array(Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer);
