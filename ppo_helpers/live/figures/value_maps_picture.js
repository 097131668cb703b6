// The three maps of chapter 3 and what their colours mean.
import { icon, NAMES } from "../parts/cells.js";
import { errorColor, valueColor } from "../parts/colors.js";
import { html, show, svg } from "../parts/dom.js";
import { gridView } from "../parts/grid_view.js";
import { parseWorld } from "../twins/gridworld.js";
import { putFrames, sideMap } from "./value_maps_side.js";
import { recordedRuns } from "./value_maps_training.js";

const DOT = '<circle cx="50" cy="50" r="15" class="live-dot"/>';
const TITLES = ["what the network says", "what is true", "where it is wrong"];

/** What does not change while the reader looks: the world, the truth, the recorded trainings and the ends of all
 *  axes. */
export function sceneOf(state) {
  const [truth, runs] = [state.get("truth"), recordedRuns(state)];
  const errors = runs.flatMap((run) => run.errors.flat()).filter(Number.isFinite);
  const [low, high] = spread(Math.min(...truth), Math.max(...truth));
  return {
    world: parseWorld(state.get("text"), 0, state.get("rewards")),
    truth,
    runs,
    fractions: state.get("fractions"),
    steps: state.get("steps"),
    low,
    high,
    wrong: (high - low) / 2, // from here on an error is as red as it gets
    top: 1.05 * Math.max(...errors, 0.1),
  };
}

const spread = (low, high) => (high - low > 1e-6 ? [low, high] : [low - 0.5, high + 0.5]);

/** The maps, each with its key: the first one is worked on, the others are drawn beside it. */
export function valueMaps(scene, acts) {
  const said = gridView({ label: TITLES[0], ...acts });
  const others = TITLES.slice(1).map((label) => sideMap(label, acts));
  const row = svg("rect", { class: "live-row" });
  said.overlay.append(row);
  const keys = [valueKey(scene), valueKey(scene), errorKey(scene)];
  const boards = [said, ...others].map(({ node }, i) =>
    html("div", {}, html("p", { class: "live-caption" }, TITLES[i]), node, keys[i]),
  );
  return {
    node: html("div", { class: "live-trio" }, ...boards),
    off: said.off,
    draw({ run, frame, chosen }) {
      const cells = cellsOf(scene, run, run.frames[frame()]);
      said.draw(cells.length, cells[0].length, (r, c) => saidLook(cells[r][c], chosen));
      putFrames([row], cells[0].length, scene.world.states[chosen]);
      others.forEach((map, i) => {
        map.draw(cells, i ? wrongPicture : truePicture, scene.world.states[chosen]);
      });
    },
  };
}

/** All that is known of each cell at this moment; of a barrier nothing but that it is one. */
function cellsOf(scene, run, predicted) {
  const { world, truth, wrong } = scene;
  const cellOf = (s, r, c) => ({
    s,
    said: predicted[s],
    real: truth[s],
    shown: run.cells.has(s),
    symbol: world.cells[r][c],
    ends: world.reward[s] !== null,
    colors: [
      valueOn(scene, predicted[s]),
      valueOn(scene, truth[s]),
      errorColor(Math.abs(predicted[s] - truth[s]) / wrong),
    ],
  });
  return world.index.map((row, r) => row.map((s, c) => (s < 0 ? { s } : cellOf(s, r, c))));
}

const valueOn = ({ low, high }, value) => valueColor((10 * (value - low)) / (high - low) - 5);

function saidLook({ s, said, real, shown, symbol, ends, colors }, chosen) {
  if (s < 0) return { picture: "", color: "", name: "barrier", classes: "live-barrier", off: true };
  const what = ends ? `, ${NAMES[symbol] ?? symbol}` : "";
  return {
    picture: `<svg viewBox="0 0 100 100" aria-hidden="true">${shown ? DOT : ""}</svg>`,
    color: colors[0],
    name: `the network says ${show(said, 2)}, the truth is ${show(real, 2)}${what}${shown ? ", shown" : ""}`,
    classes: s === chosen ? "live-chosen" : "",
  };
}

const truePicture = ({ ends, symbol, colors }) => [colors[1], ends ? icon(symbol) : ""];
const wrongPicture = ({ shown, colors }) => [colors[2], shown ? DOT : ""];

function valueKey(scene) {
  const colors = [0, 0.25, 0.5, 0.75, 1].map((share) => valueOn(scene, scene.low + share * (scene.high - scene.low)));
  return ramp(show(scene.low), colors, show(scene.high));
}

const errorKey = ({ wrong }) => ramp("0", [0, 1].map(errorColor), `${show(wrong)} or more`);

const ramp = (low, colors, high) =>
  html(
    "p",
    { class: "live-ramp" },
    low,
    html("span", { style: `background: linear-gradient(to right, ${colors.join(", ")})` }),
    high,
  );
