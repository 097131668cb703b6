// The map of the policy playground: arrows, who walks where, and where walks have ended.
import { cellPicture, NAMES, prize } from "../parts/cells.js";
import { valueColor } from "../parts/colors.js";
import { html, show } from "../parts/dom.js";
import { gridView } from "../parts/grid_view.js";
import { trails } from "../parts/trails.js";

/** True where a walk may begin: some move is open. */
export const canStart = (world, r, c) => world.next[world.index[r][c]]?.some((to) => to >= 0) ?? false;

/** The grid with its key; `onpick(r, c)` for a cell that is chosen. */
export function walkersBoard(state, onpick) {
  const grid = gridView({ label: state.get("alt"), onpick });
  const overlay = trails(grid.overlay);
  const key = html("p", { class: "live-legend" });
  return {
    node: grid.node,
    key,
    off: grid.off,
    describe: grid.describe,
    /** `pace` is the time of a move in milliseconds, 0 while nothing plays. */
    draw(rules, crowd, pace) {
      const range = rangeOf(rules.known);
      const height = rules.world.cells.length;
      grid.draw(height, rules.world.cells[0].length, (r, c) => look(rules, crowd, range, r, c));
      drawWalks(overlay, rules, crowd, pace);
      key.replaceChildren(...ramp(range), ghostKey(rules.temperature > 0));
    },
  };
}

/** The least and the largest value that the walker knows. */
function rangeOf(known) {
  const finite = known.filter((v) => v > -Infinity);
  return finite.length ? [Math.min(...finite), Math.max(...finite)] : [0, 0];
}

const shade = (value, [low, high]) => valueColor(high > low ? (10 * (value - low)) / (high - low) - 5 : 0);

/** What the colours mean, from the least value to the largest. */
function ramp(range) {
  const [low, high] = range;
  const colors = [0, 0.5, 1].map((share) => shade(low + share * (high - low), range)).join(", ");
  const bar = html("span", { class: "live-known", style: `background: linear-gradient(90deg, ${colors})` });
  return [html("span", {}, "worth, to the walker:"), html("span", { class: "live-item" }, show(low), bar, show(high))];
}

/** Of the walker who goes along with the others; its place is kept where there is none. */
function ghostKey(there) {
  const mark = html("span", { class: "live-key live-key-greedy" });
  return html("span", { class: "live-item", style: there ? "" : "visibility: hidden" }, mark, "greedy walker");
}

function look(rules, crowd, range, r, c) {
  const { world, known, policy } = rules;
  const s = world.index[r][c];
  if (s < 0) return { picture: "", color: "", name: "barrier", classes: "live-barrier", off: true };
  const reward = world.reward[s];
  const [symbol, unknown] = [world.cells[r][c], known[s] === -Infinity];
  return {
    picture: cellPicture({
      symbol,
      reward,
      policy: reward === null ? policy[s] : null,
      extra: marks(s, world, crowd.tally),
    }),
    color: unknown ? "" : shade(known[s], range),
    name: nameOf(rules, crowd, s, symbol),
    classes: `${s === rules.start ? "live-start" : ""} ${unknown ? "live-unknown" : ""}`,
    off: !canStart(world, r, c),
  };
}

function nameOf({ world, start }, { now, moves, tally }, s, symbol) {
  const reward = world.reward[s];
  const here = now.length === 1 && now[0].path[moves] === s;
  const seen = tally.seen[s] ? "seen" : "not seen";
  const ended = tally.ends[s] ? `${tally.ends[s]} ${tally.ends[s] === 1 ? "walk" : "walks"} ended here` : seen;
  const what = reward === null ? "free" : `${NAMES[symbol] ?? symbol} ${prize(reward)}`;
  return [what, ended, s === start && "start", here && "the walker is here"].filter(Boolean).join(", ");
}

/** A dot in a cell that has been seen; in a corner of a prize, how many walks ended there. */
function marks(s, world, { seen, ends }) {
  if (!seen[s]) return "";
  if (world.reward[s] === null) return '<circle cx="50" cy="50" r="5" class="live-seen"/>';
  return ` <text x="92" y="27" class="live-count">${ends[s]}</text>`;
}

function drawWalks(overlay, { world, temperature }, crowd, pace) {
  const cells = (walk) => crowd.way(walk).map((s) => world.states[s]);
  const earlier = crowd.trails.map(({ path }) => path.map((s) => world.states[s]));
  const many = crowd.now.length > 1;
  const together = many ? crowd.now.map(cells) : [];
  const under = (i) => many && i >= earlier.length && crowd.moves < crowd.now[i - earlier.length].path.length - 1;
  overlay.crowd([...earlier, ...together], under);
  const glide = crowd.moves ? pace : 0; // from cell to cell, but not back to the start
  const endsAt = ([r, c]) => world.reward[world.index[r][c]];
  const aside = (way) => (endsAt(way.at(-1)) === null ? 0 : -30); // not before the prize
  const alone = many ? [] : cells(crowd.now[0]);
  overlay.alone(alone, [alone.length ? aside(alone) : 0, 0], glide);
  const ghost = many || temperature === 0 ? [] : cells(crowd.greedy);
  overlay.greedy(ghost, [ghost.length ? aside(ghost) + 14 : 0, 8], glide);
}
