// The truth over seeds: every setting that was tried is a row, every seed a dot where its training ended.
import { button } from "../parts/controls.js";
import { html, say } from "../parts/dom.js";
import { inSlices } from "../parts/slices.js";
import { rowOf } from "./ppo_lab_dots.js";
import { lesson, recordOf } from "./ppo_lab_runs.js";

const MORE = 20;
const HEADS = ["✕ collapsed", "between", "✓ optimum"];

/** `scene` is what is shown above; `onpick(row, seed)` is told which dot was chosen. */
export function seedsPanel(scene, onpick) {
  const rows = rowsOf(scene, onpick);
  const [home, head] = [html("div", { class: "live-rows" }), header()];
  const words = html("p", { class: "live-doubt", role: "status" });
  let work = null;
  const more = button("", () => {
    const was = work;
    work?.stop();
    work = was ? null : inSlices(sweep(scene, rows.shown()), slice);
    draw();
  });
  let [drawn, place] = [0, scene.text];
  const slice = (over) => {
    if (over) work = null;
    if (over || rows.count() !== drawn) draw(); // to draw takes as long as to train a little
  };
  function draw() {
    if (scene.text !== place) {
      work?.stop(); // the dots were of another world
      [work, place] = [null, scene.text];
      rows.forget();
    }
    const shown = rows.all();
    drawn = rows.count();
    for (const row of shown) row.draw(scene.seed);
    const nodes = [head, ...shown.map(({ node }) => node)];
    if (nodes.some((node, i) => node !== home.children[i]) || home.children[nodes.length])
      home.replaceChildren(...nodes);
    more.textContent = work ? "Stop" : `${MORE} more seeds of each`;
    say(words, work ? "Every dot is a training from its first step to its last." : saying(scene, rows), Boolean(work));
  }
  const top = html("div", { class: "live-ask" }, words, html("div", { class: "live-buttons" }, more));
  return { node: html("div", { class: "live-side live-seeds" }, top, home), draw, stop: () => work?.stop() };
}

/** A row for each setting that was tried, and for the two that are shown. */
function rowsOf(scene, onpick) {
  const rows = new Map();
  const row = (config, side) => {
    const key = JSON.stringify(config);
    if (!rows.has(key)) rows.set(key, rowOf(config, side, onpick));
    return rows.get(key);
  };
  const shown = () => [...new Set(scene.sides.map(row))];
  const all = () => {
    const now = shown();
    for (const [key, one] of rows) if (!one.dots.length && !now.includes(one)) rows.delete(key);
    return [...rows.values()];
  };
  const count = () => [...rows.values()].reduce((sum, { dots }) => sum + dots.length, 0);
  return { shown, all, count, forget: () => rows.clear() };
}

/** Train so many seeds more of each row, in turn. */
function* sweep(scene, rows) {
  for (let n = 0; n < MORE; n++) {
    for (const { config, dots } of rows) {
      const seed = 1 + Math.max(0, ...dots.map((dot) => dot.seed));
      const record = recordOf(scene, false);
      for (const step of lesson(scene, config, seed)) {
        record.add(step);
        yield;
      }
      dots.push({ seed, share: record.share, fell: record.fell });
    }
  }
}

function saying({ seed, text, first }, rows) {
  if (rows.all().some(({ dots }) => dots.length))
    return "Choose a dot to train its seed above. Turn a dial for new rows.";
  const why =
    seed === first.seed && text === first.text ? `Seed ${seed} was chosen to show a fall.` : "One seed proves little.";
  return `${why} How often do they fall?`;
}

const header = () => {
  const heads = HEADS.map((head, i) => html("span", { class: `live-fate-${i}` }, head));
  return html(
    "p",
    { class: "live-fates" },
    html("span", {}, html("span", { class: "live-ring" }, "○"), " fell on its way"),
    ...heads,
  );
};
