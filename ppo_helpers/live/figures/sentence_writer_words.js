// What the sentence writer says.
import { chance, logWords, quoted } from "../parts/tokens.js";
import { candidates, probability } from "../twins/softmax.js";
import { SIZE } from "./sentence_writer_mind.js";

export function wordsOf(view) {
  const { tokens, busy, problem, asleep, over } = view;
  if (problem) return problem;
  if (busy && asleep) return `Waking the model: ${SIZE}, once …`;
  const last = tokens.at(-1);
  if (over) return atTheEnd(view);
  return last.logprob === null ? opening(view) : `${written(last)} ${expected(view)}`;
}

const written = ({ piece, logprob }) =>
  `${quoted(piece)} had probability ${chance(probability(logprob))}: a log-probability of ${logWords(logprob, 3)}.`;

const expected = ({ row, temperature, topK }) =>
  `Now the likeliest is ${quoted(row.pieces[0])}, ${chance(candidates(row, temperature, topK)[0])}.`;

const opening = (view) =>
  `${expected(view)} ${view.asleep ? `The first click wakes the model (${SIZE}).` : "Nothing is written yet."}`;

const atTheEnd = ({ tokens, ended, context }) =>
  ended
    ? `${written(tokens.at(-1))} That token ends the text: undo it, or start again.`
    : `That is all: there is room for ${context} tokens. Undo some, or start again.`;
