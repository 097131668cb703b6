// Chapter 2: a softmax policy, walkers that follow it one by one or a hundred at once, and what they earn, see and
// find.
import { prize } from "../parts/cells.js";
import { conductor } from "../parts/conductor.js";
import { choice, facts, legendOf, slider, stage, statusLine } from "../parts/controls.js";
import { LIMIT, walkers } from "../parts/crowd.js";
import { html, say, show } from "../parts/dom.js";
import { playOnce } from "../parts/playback.js";
import { binsOf, returnsPlot } from "../parts/returns.js";
import { traits } from "../parts/traits.js";
import { parseWorld } from "../twins/gridworld.js";
import { evaluatePolicy, greedyPolicy, softmaxPolicy } from "../twins/planning.js";
import { outcomes } from "../twins/walks.js";
import { canStart, walkersBoard } from "./policy_playground_board.js";

const HINT = "Press Walk, or send a hundred at once. Set the temperature. Pick a cell to start there.";
const LEGEND = [
  ["live-key-walks", "walks so far"],
  ["live-key-exact", "what to expect, exactly"],
];

function render({ model, el }) {
  const state = traits(model);
  const rules = {};
  const board = walkersBoard(state, starter(state, rules, forget));
  const status = statusLine(2);
  const read = readings();
  Object.assign(rules, rulesOf(state));
  const crowd = walkers(rules, state.get("seed"));
  const go = conductor(crowd, draw);
  board.describe(status);

  function draw() {
    board.draw(rules, crowd, go.pace());
    read.put(rules, crowd.tally);
    say(status, summary(crowd), go.playing());
  }
  function forget() {
    go.stop();
    crowd.restart();
    draw();
  }
  function compute() {
    Object.assign(rules, rulesOf(state));
    read.expect(rules);
    forget();
  }
  const picture = [board.node, board.key, go.buttons(forget), status];
  el.append(stage(state, { hint: HINT, picture, side: [...settings(state), read.node] }));
  read.expect(rules);
  crowd.begin(100); // what is seen first, on paper too, is the end of the story
  crowd.finish();
  draw();
  state.watch(["text", "move_cost", "gamma", "temperature", "table", "start"], compute);
  const unwatch = playOnce(el, go, forget);
  return () => {
    for (const end of [state.off, board.off, go.stop, unwatch]) end();
  };
}

/** Who picks a cell starts there; who picks the start again begins anew. */
const starter = (state, rules, forget) => (r, c) => {
  if (!canStart(rules.world, r, c)) return;
  if (rules.world.index[r][c] === rules.start) forget();
  else state.set({ start: [r, c] });
};

/** All that follows from the traits: the world, what the walker believes, how it therefore walks, what that is
 *  worth. */
function rulesOf(state) {
  const world = parseWorld(state.get("text"), state.get("move_cost"), state.get("rewards"));
  const [row, column] = state.get("start");
  const start = world.index[row][column];
  const known = state.get("tables")[state.get("table")].values.map((v) => v ?? -Infinity);
  const [gamma, temperature] = [state.get("gamma"), state.get("temperature")];
  const greedy = greedyPolicy(world, known, gamma);
  const policy = temperature === 0 ? greedy : softmaxPolicy(world, known, temperature, gamma);
  const exact = evaluatePolicy(world, policy, gamma)[start];
  return { world, known, gamma, temperature, policy, greedy, start, exact };
}

/** What the walker knows, if there is a choice, and how hot it is. */
function settings(state) {
  const tables = state.get("tables").map(({ label }, i) => [i, label]);
  const knows = choice("walker knows", tables, (i) => state.set({ table: Number(i) }));
  const update = () => {
    knows.pick.value = state.get("table");
  };
  state.watch(["table"], update);
  update();
  // 0 is greedy, then from 0.05 to 10 by equal factors
  const heat = slider(state, "temperature", {
    ...{ label: "temperature", min: 0, max: 100, step: 1 },
    words: (t) => (t === 0 ? "greedy" : show(t, t < 1 ? 2 : 1)),
    from: (t) => (t === 0 ? 0 : Math.max(1, Math.round(1 + (99 * Math.log(t / 0.05)) / Math.log(200)))),
    to: (x) => (Number(x) === 0 ? 0 : Number((0.05 * 200 ** ((x - 1) / 99)).toPrecision(3))),
  });
  return tables.length > 1 ? [knows.node, heat.node] : [heat.node];
}

/** The distribution of points and the numbers under it. */
function readings() {
  const home = html("div", { class: "live-returns-home" });
  const numbers = facts();
  let plot;
  return {
    node: html("div", { class: "live-readings" }, home, legendOf(LEGEND), numbers.node),
    /** Draw anew what is to be expected. */
    expect({ world, policy, start, gamma, exact }) {
      const unit = gamma === 1 ? world.moveCost : 0;
      plot = returnsPlot(binsOf(outcomes(world, policy, start, LIMIT, gamma), unit), exact);
      home.replaceChildren(plot.node);
    },
    put({ world, exact }, { walks, sum, best, totals, seen }) {
      plot.fill(totals);
      numbers.put([
        ["expected points", show(exact, 2)],
        ["mean so far", walks ? show(sum / walks, 2) : "–"],
        ["walks", walks],
        ["cells seen", `${seen.filter(Boolean).length} of ${world.states.length}`],
        ["best prize found", best === null ? "–" : prize(best)],
      ]);
    },
  };
}

/** What has just happened, in a sentence. */
function summary({ now, moves, tally }) {
  const ended = now.filter(({ path }) => moves >= path.length - 1).length;
  if (now.length > 1)
    return ended < now.length ? `${ended} of ${now.length} walks have ended.` : `All ${ended} walks have ended.`;
  const [{ points, prize: found }] = now;
  if (moves === 0) return tally.walks ? "The next walker stands at the start." : "Nobody has walked yet.";
  const count = `${moves} move${moves === 1 ? "" : "s"}`;
  if (!ended) return `Walk ${tally.walks + 1}: ${count}, ${show(points[moves], 2)} points so far.`;
  const end = found === null ? "given up" : `ended at ${prize(found)}`;
  return `Walk ${tally.walks}: ${end} after ${count}, ${show(points[moves], 2)} points.`;
}

export default { render };
