// What can be done to the sentence. An answer takes time, from the kernel or from a model that has yet to wake: while
// one is awaited nothing else is asked.
import { calm } from "../parts/playback.js";
import { KEPT, keptLogprobs } from "../twins/softmax.js";

const PACE = 220; // milliseconds between tokens

export function scribe(state, mind, draw) {
  let [busy, going, problem] = [false, null, null];
  const tokens = () => state.get("tokens");
  const ids = () => tokens().map(({ id }) => id);
  const written = () => ids().join();
  const ended = () => tokens().at(-1).id === state.get("end") && tokens().at(-1).logprob !== null;
  const over = () => ended() || tokens().length >= state.get("context");

  /** Ask, and show the answer; true if there was one. It is of no use if the text has changed meanwhile. */
  async function asking(question, answer) {
    if (busy) return false;
    busy = true;
    problem = null;
    draw();
    const before = written();
    try {
      const found = await question();
      if (written() === before) state.set(answer(found));
    } catch (error) {
      problem = error.message;
    }
    busy = false;
    draw();
    return problem === null;
  }
  const add = (token, row) => ({ tokens: [...tokens(), token], row });
  const roll = () =>
    asking(
      () => mind.draw(ids(), state.get("temperature"), state.get("top_k")),
      ({ token, row }) => add(token, row),
    );
  function write(place) {
    const row = state.get("row");
    const logprob = keptLogprobs(row, state.get("temperature"), state.get("top_k"))[place];
    const token = { id: row.ids[place], piece: row.pieces[place], logprob };
    return asking(
      () => mind.after([...ids(), token.id]),
      (answer) => add(token, answer.row),
    );
  }
  /** Token after token, until the text ends or somebody stops it; `going` is the run that goes on, if one does. */
  async function writeOn() {
    const run = going ? null : {};
    going = run;
    while (run && going === run && (await roll()) && !over()) {
      await new Promise((resolve) => setTimeout(resolve, calm() ? 2 * PACE : PACE));
    }
    if (going === run) going = null;
    draw();
  }
  const undo = () => {
    const left = tokens().slice(0, -1);
    return asking(
      () => mind.after(left.map(({ id }) => id)),
      ({ row }) => ({ tokens: left, row }),
    );
  };
  const begin = (text) =>
    asking(
      () => mind.begin(text),
      (found) => ({ prompt: text, ...found }),
    );
  const reset = () => {
    going = null;
    problem = null;
    state.set({ ...state.get("first"), temperature: 1, top_k: KEPT + 1 });
    draw();
  };
  const stop = () => {
    going = null;
    mind.off();
  };
  /** Who does something themselves has taken over: the run must not write on behind their back. */
  const byHand =
    (act) =>
    (...args) => {
      going = null;
      return act(...args);
    };
  const hands = { roll: byHand(roll), write: byHand(write), undo: byHand(undo), begin: byHand(begin) };
  const now = () => ({ busy, going: going !== null, problem, asleep: mind.asleep(), ended: ended(), over: over() });
  return { ...hands, writeOn, reset, stop, now };
}
