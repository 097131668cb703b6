// What many epochs have made of a policy, in words.
import { show } from "../parts/dom.js";

export const nameOf = (eps) => (eps === null ? "no clip" : `clip ε = ${eps}`);
export const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

export const FATES = ["more than before", "as before", "less than before", "less than random walking"];
const SAME = 0.05; // points that are no difference

/** What became of a policy that earned `start` points before. */
export function fateOf(points, start, { random }) {
  if (points < Math.min(random, start - SAME)) return 3;
  return Math.abs(points - start) <= SAME ? 1 : points > start ? 0 : 2;
}

/** How the runs stand after `k` epochs. */
export function sentence({ judge, climb }, runs, k) {
  const start = runs[0][0].points;
  const lines = runs.map((frames, i) => {
    const { objective, points } = frames[k];
    const name = runs.length > 1 ? `${capital(nameOf(climb.clips[i]))}: the` : "The";
    const fate = k ? `, ${FATES[fateOf(points, start, judge)]}` : "";
    return `${name} objective says ${signed(objective)}, a walk earns ${show(points)} points${fate}.`;
  });
  const before = `a walk earned ${show(start)} before, ${show(judge.best)} is best`;
  return [`${plural(k, "epoch")} on one batch; ${before}.`, ...lines].join("\n");
}

const capital = (words) => words[0].toUpperCase() + words.slice(1);
const signed = (value) => `${value > 0.005 ? "+" : ""}${show(value, 2)}`;

/** For readers who cannot see the lanes. */
export function lanesInWords(moves, frames, clips) {
  const of = ({ ratios, mean }, i) => {
    const untried = moves.filter(({ count }) => !count).map(({ at }) => ratios[at]);
    const most = untried.length ? `, that of a move never made is at most ${show(Math.max(...untried), 1)}` : "";
    return `${nameOf(clips[i])}: mean ratio of the batch ${show(mean, 2)}${most}`;
  };
  return `ratio of every move. ${frames.map(of).join("; ")}.`;
}
