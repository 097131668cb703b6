// One side of the lab: its dials, its grid with policy and values, and the ratios of its last update.
import { cellPicture, MOVE_NAMES, NAMES, prize } from "../parts/cells.js";
import { ratioBars } from "../parts/charts.js";
import { valueColor } from "../parts/colors.js";
import { choice } from "../parts/controls.js";
import { html, show } from "../parts/dom.js";
import { gridView } from "../parts/grid_view.js";
import { EDGES } from "./ppo_lab_runs.js";
import { DIALS, namesOf, unlike } from "./ppo_lab_words.js";

/** Side i; `turn(i, name, value)` is told of a dial, `brush` what is done to the grid. */
export function sideOf(i, scene, { turn }, brush) {
  const name = html("span");
  const caption = html("p", { class: "live-caption" }, html("span", { class: `live-key live-run-${i}` }), " ", name);
  const dials = Object.entries(DIALS).map(([key, [label, values]]) => dialOf(key, label, values, scene, i, turn));
  const grid = gridView({ label: `policy and values ${i ? "on the right" : "on the left"}`, ...brush });
  const home = html("div");
  let [bars, eps] = [null, Number.NaN];
  const face = html("div", { class: "live-dials" }, ...dials.map(({ node }) => node));
  return {
    node: html("div", { class: `live-half live-half-${i}` }, caption, face, grid.node, home),
    off: grid.off,
    draw(k) {
      const { sides, runs, world } = scene;
      name.textContent = namesOf(sides)[i];
      for (const dial of dials) dial.draw();
      const [{ clip_eps }, frame] = [sides[i], runs[i].frames[k]];
      if (clip_eps !== eps) {
        bars = ratioBars(EDGES, clip_eps ?? 0.2, `live-run-${i}`);
        home.replaceChildren(bars.node);
        eps = clip_eps;
      }
      bars.put(frame.ratios);
      grid.draw(world.cells.length, world.cells[0].length, (r, c) => lookOf(scene, frame, r, c));
    },
  };
}

/** A list of values; outlined where the other side has another one. */
function dialOf(key, label, values, scene, i, turn) {
  const own = [...new Set([...values, ...scene.sides.map((config) => config[key])])].sort((a, b) => a - b);
  const words = own.map((v, n) => [n, v === null ? "none" : String(v)]);
  const { node, pick } = choice(label, words, (n) => turn(i, key, own[n]));
  const draw = () => {
    pick.value = own.indexOf(scene.sides[i][key]);
    node.classList.toggle("live-differs", unlike(...scene.sides).includes(key));
  };
  return { node, draw };
}

function lookOf(scene, frame, r, c) {
  const { world, judge, chosen } = scene;
  const [s, symbol] = [world.index[r][c], world.cells[r][c]];
  if (s < 0) return { picture: "", color: "", name: "barrier", classes: "live-barrier", off: !scene.painting() };
  const reward = world.reward[s];
  const [value, policy] = [reward ?? frame.values[s], frame.policy[s]];
  const most = policy && Math.max(...policy);
  const best = policy && `${MOVE_NAMES[policy.indexOf(most)]} ${show(100 * most, 0)} %`;
  const words = show(value, Math.abs(value) < 9.95 ? 1 : 0);
  return {
    picture: cellPicture({ symbol, reward, words, policy }),
    color: valueColor(value / judge.scale),
    classes: s === chosen ? "live-chosen" : "",
    name: reward === null ? `value ${words}, ${best}` : `${NAMES[symbol] ?? symbol} ${prize(reward)}`,
  };
}
