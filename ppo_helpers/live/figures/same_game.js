// The book's first figure: a walk and a sentence under one Play, and the same words under both.
import { cellPicture, NAMES, prize } from "../parts/cells.js";
import { button, stage, statusLine } from "../parts/controls.js";
import { html, say } from "../parts/dom.js";
import { gridView } from "../parts/grid_view.js";
import { calm, playback, playOnce } from "../parts/playback.js";
import { trails } from "../parts/trails.js";
import { traits } from "../parts/traits.js";
import { parseWorld } from "../twins/gridworld.js";
import { END, ROWS, sentence, stepOfText, stepOfWalk } from "./same_game_words.js";

const HINT = "Press Play: at each step the walker chooses a move and the writer a token.";
const PACE = 1100; // milliseconds between steps

function render({ model, el }) {
  const state = traits(model);
  const walk = () => state.get("walks")[state.get("pair")];
  const text = () => state.get("texts")[state.get("pair")];
  const last = () => Math.max(walk().actions.length, text().pieces.length);
  const board = boardOf(state, walk);
  const page = writing();
  const table = comparison();
  const status = statusLine(2);
  const play = playback(state, "frame", { last, home: last(), delay: PACE, draw, reset: () => state.set({ pair: 0 }) });
  function draw() {
    const now = state.get("frame");
    board.draw(now, play.playing());
    page.put(text(), now);
    table.put(stepOfWalk(walk(), now), stepOfText(text(), now));
    say(status, sentence(walk(), text(), now), play.playing());
  }
  function other() {
    play.stop();
    state.set({ pair: (state.get("pair") + 1) % state.get("walks").length, frame: 0 });
    play.start();
  }
  const dice = html("div", { class: "live-buttons" }, button("Roll again", other));
  const picture = [sides([board.node], [page.node, play.node, dice, status])];
  el.append(stage(state, { hint: HINT, picture, side: [table.node], cls: "live-same" }));
  board.describe(status);
  draw();
  state.watch(["frame", "pair"], draw);
  const forget = playOnce(el, play, () => state.set({ frame: 0 }));
  return () => {
    for (const undo of [state.off, play.stop, forget, board.off]) undo();
  };
}

/** The grid, and beside it the text and what moves both. */
function sides(walker, writer) {
  const part = (title, nodes) => html("div", {}, html("p", { class: "live-same-title" }, title), ...nodes);
  return html("div", { class: "live-same-sides" }, part("Walking a grid", walker), part("Writing a sentence", writer));
}

/** The same words, and what they stand for on both sides. */
function comparison() {
  const titles = ["the walker", "the writer"].map((words) => html("th", { scope: "col" }, words));
  const head = html("tr", {}, html("td"), ...titles);
  const cells = ROWS.map(() => [html("td"), html("td")]);
  const rows = ROWS.map((name, i) => html("tr", {}, html("th", { scope: "row" }, name), ...cells[i]));
  const node = html("table", { class: "live-same-table" }, html("thead", {}, head), html("tbody", {}, ...rows));
  const put = (...columns) => {
    cells.forEach((pair, i) => {
      pair.forEach((cell, side) => {
        cell.replaceChildren(columns[side][i]);
      });
    });
  };
  return { node, put };
}

function boardOf(state, walk) {
  const world = parseWorld(state.get("text"), state.get("move_cost"), state.get("rewards"));
  const view = gridView({ label: state.get("alt"), onpick: () => {} });
  const overlay = trails(view.overlay);
  overlay.greedy([], [0, 0], 0); // nobody else walks
  const look = (r, c) => {
    const [symbol, s] = [world.cells[r][c], world.index[r][c]];
    const reward = s < 0 ? null : world.reward[s];
    const policy = s < 0 || reward !== null ? null : state.get("policy")[s];
    const picture = cellPicture({ symbol, reward, policy });
    const name = `${NAMES[symbol] ?? symbol}${reward === null ? "" : ` ${prize(reward)}`}`;
    return { picture, color: "", name, classes: s < 0 ? "live-barrier" : "", off: true };
  };
  view.draw(world.cells.length, world.cells[0].length, look);
  function draw(now, playing) {
    const way = walk().cells.slice(0, now + 1);
    const [r, c] = way.at(-1);
    const aside = world.reward[world.index[r][c]] === null ? 0 : -30; // not before the prize
    overlay.alone(way, [aside, 0], playing && now > 0 && !calm() ? PACE / 2 : 0);
  }
  return { node: view.node, off: view.off, describe: view.describe, draw };
}

/** The text so far; the last token stands out. */
function writing() {
  const node = html("p", { class: "live-same-text", role: "group", "aria-label": "the text" });
  const put = ({ prompt, pieces }, now) => {
    const written = pieces.slice(0, now).map((piece) => (piece === END ? " ■" : piece));
    const before = written.slice(0, -1).map((piece) => html("span", {}, piece));
    const newest = written.slice(-1).map((piece) => html("mark", {}, piece));
    node.replaceChildren(prompt, ...before, ...newest);
  };
  return { node, put };
}

export default { render };
