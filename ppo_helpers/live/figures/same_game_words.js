// The same words for a step of a walk and for a step of a sentence.
import { MOVE_NAMES, prize } from "../parts/cells.js";
import { show } from "../parts/dom.js";

const ARROWS = ["↑", "→", "↓", "←"];
export const END = "<|endoftext|>";
const LETTERS = 22; // of the text so far that are repeated

/** The step before `now`; past the end, the last one. */
const taken = (steps, now) => Math.min(now, steps) - 1;

const sum = (numbers) => numbers.reduce((total, x) => total + x, 0);

/** What the rows of both are called. */
export const ROWS = ["state s", "action a", "π(a | s)", "log π(a | s), nats", "reward r", "earned so far"];

function rows({ state, action, prob, logprob, reward, total }) {
  const said = (value, words) => (value === null ? "–" : words(value));
  const [p, log] = [said(prob, (x) => show(x, 3)), said(logprob, (x) => show(x, x > -0.1 ? 3 : 2))];
  return [state, action, p, log, said(reward, prize), prize(total)];
}

const NOTHING = { action: "–", prob: null, logprob: null, reward: null, total: 0 };

export function stepOfWalk({ cells, actions, probs, rewards }, now) {
  const t = taken(actions.length, now);
  const place = ([r, c]) => `row ${r}, column ${c}`;
  if (t < 0) return rows({ ...NOTHING, state: place(cells[0]) });
  return rows({
    state: place(cells[t]),
    action: `${ARROWS[actions[t]]} ${MOVE_NAMES[actions[t]]}`,
    prob: probs[t],
    logprob: Math.log(probs[t]),
    reward: rewards[t],
    total: sum(rewards.slice(0, t + 1)),
  });
}

export function stepOfText({ prompt, pieces, logprobs, rewards }, now) {
  const t = taken(pieces.length, now);
  const soFar = (n) => {
    const text = prompt + pieces.slice(0, n).join("");
    const cut = text.length - LETTERS;
    return cut > 0 ? `…${text.slice(Math.max(cut, text.indexOf(" ", cut)))}` : text;
  };
  if (t < 0) return rows({ ...NOTHING, state: `“${soFar(0)}”` });
  return rows({
    state: `“${soFar(t)}”`,
    action: pieces[t] === END ? "the text ends" : `“${pieces[t]}”`,
    prob: Math.exp(logprobs[t]),
    logprob: logprobs[t],
    reward: rewards[t],
    total: sum(rewards.slice(0, t + 1)),
  });
}

export function sentence(walk, text, now) {
  const [walked, written] = [walk.actions.length, text.pieces.length];
  if (now === 0) return "Both are at their start: a cell, and a few words.";
  const ends = [
    [walked, `The walk has earned ${prize(sum(walk.rewards))}`],
    [written, `the sentence ${prize(sum(text.rewards))}, all of it at its last token`],
  ];
  if (now >= walked && now >= written) return `${ends.map(([, words]) => words).join(", ")}.`;
  if (now >= walked) return `Step ${now}: the walk is over, the writer goes on.`;
  if (now >= written) return `Step ${now}: the sentence is over, the walker goes on.`;
  return `Step ${now}: a move there, a token here, each drawn from π(a | s).`;
}
