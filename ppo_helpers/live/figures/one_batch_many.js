// The same climb from many policies, each with a batch of its own: how many got better, and how many broke.
import { button } from "../parts/controls.js";
import { html, say } from "../parts/dom.js";
import { inSlices } from "../parts/slices.js";
import { climb, startOf } from "./one_batch_runs.js";
import { FATES, fateOf, nameOf, plural } from "./one_batch_words.js";

const MORE = 40;

/** `follow` begins again where there is other practice, `draw(k)` counts as it is after k epochs. */
export function manyOf(scene, state) {
  const { clips } = scene.climb;
  const rows = clips.map(rowOf);
  const words = html("p", { class: "live-doubt", role: "status" });
  let [tried, known, work, epoch] = [[], null, null, 0];
  const stop = () => {
    work?.stop();
    work = null;
  };
  const more = button("", () => {
    if (work) stop();
    else work = inSlices(sweep(scene, state, tried), (over) => (over ? done() : draw(epoch)));
    draw(epoch);
  });
  const done = () => {
    work = null;
    draw(epoch);
  };
  function draw(k) {
    epoch = k;
    rows.forEach((row, i) => {
      row.put(countsOf(scene.judge, tried, i, k));
    });
    more.textContent = work ? "Stop" : `${MORE} more batches`;
    say(words, sayingOf(state, tried.length, k), Boolean(work));
  }
  const head = html(
    "p",
    { class: "live-tally-heads" },
    ...FATES.map((fate, i) => html("span", { class: `live-tally-${i}` }, fate)),
  );
  const top = html("div", { class: "live-ask" }, words, html("div", { class: "live-buttons" }, more));
  return {
    node: html("div", { class: "live-side live-tallies" }, top, head, ...rows.map(({ node }) => node)),
    stop,
    draw,
    follow() {
      if (known === state.get("practice")) return;
      stop();
      [tried, known] = [[], state.get("practice")];
    },
  };
}

/** Of every policy and clip the points after each epoch. */
function* sweep(scene, state, tried) {
  for (let n = 0; n < MORE; n++) {
    const start = startOf(scene, state.get("config"), state.get("practice"), tried.length + 1);
    yield;
    const runs = [];
    for (const eps of scene.climb.clips) {
      runs.push(climb(scene, start, eps, scene.climb).map(({ points }) => points));
      yield;
    }
    tried.push(runs);
  }
}

/** How many have each fate after k epochs. */
function countsOf(judge, tried, i, k) {
  const counts = FATES.map(() => 0);
  for (const runs of tried) counts[fateOf(runs[i][k], runs[i][0], judge)] += 1;
  return counts;
}

function sayingOf(state, count, k) {
  if (count) return `Of ${count} policies, each with its own batch, after ${plural(k, "epoch")}:`;
  const first = ["seed", "practice"].every((name) => state.get(name) === state.get("first")[name]);
  return first ? "This batch was hand-picked. How often does it end like this?" : "One batch proves little.";
}

/** A bar in parts as wide as the counts. */
function rowOf(eps) {
  const parts = FATES.map((_, i) => html("span", { class: `live-tally-${i}` }));
  const bar = html("div", { class: "live-tally-bar", role: "img" }, ...parts);
  return {
    node: html("div", { class: `live-tally live-run-${eps === null ? 1 : 0}` }, html("span", {}, nameOf(eps)), bar),
    put(counts) {
      parts.forEach((part, i) => {
        part.style.flexGrow = counts[i];
        part.hidden = !counts[i];
        part.textContent = counts[i];
      });
      bar.setAttribute("aria-label", `${nameOf(eps)}: ${counts.map((n, i) => `${n} ${FATES[i]}`).join(", ")}`);
    },
  };
}
