// What can be done to the sentence. An answer takes time, from the kernel or from a model that has yet to wake: while
// one is awaited nothing else is asked.
import { calm } from "../parts/playback.js";
import { KEPT, keptLogprobs } from "../twins/softmax.js";

const PACE = 220; // milliseconds between tokens

export function scribe(state, mind, draw) {
  let [busy, going, problem] = [false, null, null];
  const ids = () => state.get("tokens").map(({ id }) => id);
  const full = () => state.get("tokens").length >= state.get("context");
  const ended = () => state.get("tokens").at(-1).id === state.get("end");

  /** Ask, and show the answer; true if there was one. */
  async function asking(question, answer) {
    if (busy) return false;
    busy = true;
    problem = null;
    draw();
    try {
      state.set(answer(await question()));
    } catch (error) {
      problem = error.message;
    }
    busy = false;
    draw();
    return problem === null;
  }
  const add = (token, row) => ({ tokens: [...state.get("tokens"), token], row });
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
    while (run && going === run && !full() && !ended() && (await roll())) {
      await new Promise((resolve) => setTimeout(resolve, calm() ? 2 * PACE : PACE));
    }
    if (going === run) going = null;
    draw();
  }
  const undo = () => {
    const tokens = state.get("tokens").slice(0, -1);
    return asking(
      () => mind.after(tokens.map(({ id }) => id)),
      ({ row }) => ({ tokens, row }),
    );
  };
  const begin = (text) =>
    asking(
      () => mind.begin(text),
      ({ tokens, row }) => ({ prompt: text, tokens, row }),
    );
  const reset = () => {
    going = null;
    problem = null;
    const { prompt, tokens, row } = state.get("first");
    state.set({ prompt, tokens, row, temperature: 1, top_k: KEPT + 1 });
    draw();
  };
  const stop = () => {
    going = null;
    mind.off();
  };
  const now = () => ({ busy, going: going !== null, problem, asleep: mind.asleep() });
  return { roll, write, writeOn, undo, begin, reset, stop, now };
}
