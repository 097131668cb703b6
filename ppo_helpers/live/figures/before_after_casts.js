// The two casts of the page: who writes, the reference first, and what a response earns.
import { changed } from "../parts/unpacked.js";

/** Chapter 11: fine-tuned, trained at a price of KL, and without one. A reward model gives its score at the end. */
export function rated({ start, changes, made, rows }) {
  const tuned = changed(start, changes, "sft");
  const trained = ["rlhf", "hacked", "reward"].map((name) => made(changed(tuned, changes, name)));
  const model = trained.pop();
  const head = changes["reward/head"];
  function judge(prompt, ids) {
    const memory = model.memory();
    const last = [...prompt, ...ids].map((id) => model.hidden(memory, rows[id])).at(-1);
    return { score: last.reduce((total, v, i) => total + v * head[i], head[last.length]) };
  }
  return { policies: [made(tuned), ...trained], judge };
}

/** Chapter 9: the bundled model, and what a reader who counts words has made of it. A token earns what the text gains
 *  by it. */
export function counting({ start, changes, made, spoken, counts }) {
  const points = pointsBy(counts);
  function judge(_, ids) {
    const sums = ids.map((_, t) => points(spoken(ids.slice(0, t + 1)).join("")));
    return { score: sums.at(-1), rewards: sums.map((sum, t) => sum - (sums[t - 1] ?? 0)) };
  }
  return { policies: [start, changed(start, changes, "counting")].map(made), judge };
}

/** Counts the words of a text as the chapter does: each has its points, and "" is added for every word. */
export function pointsBy(counts) {
  const worth = new Map(Object.entries(counts));
  return (text) => {
    const words = text.toLowerCase().split(/[\s.,!]+/);
    return words.filter(Boolean).reduce((sum, word) => sum + (worth.get(word) ?? 0) + (worth.get("") ?? 0), 0);
  };
}
