// Chapter 9: the ratios of all tokens of a batch, epoch by epoch: which still push, and what whole responses say.
import { button, facts, stage, statusLine } from "../parts/controls.js";
import { html, say, show } from "../parts/dom.js";
import { playback, playOnce } from "../parts/playback.js";
import { choose, choosing, quoted, times } from "../parts/tokens.js";
import { traits } from "../parts/traits.js";
import { factsOf, isClipped } from "../twins/ratios.js";
import { driftAxis, ratioKey, responseLine, signed } from "./ratio_board_picture.js";

const HINT = "Press Train and watch the words change colour. Then click one.";
const SHOWN = 4; // responses at first, half of them the best and half the worst

function render({ model, el }) {
  const state = traits(model);
  const board = responseBoard(state);
  const last = state.get("ratios").length - 1;
  const words = (epoch) => `${epoch} of ${last}`;
  const play = playback(state, "epoch", { last: () => last, delay: 900, verb: "Train", label: "epochs", words, draw });
  const status = statusLine(5);
  const numbers = facts();
  function draw() {
    board.draw();
    numbers.put(batchFacts(state));
    say(status, wordsOf(state), play.playing());
  }
  const side = [play.node, status, numbers.node, ratioKey(state.get("clip_eps"))];
  const body = stage(state, { hint: HINT, picture: [board.node], side });
  el.append(body);
  draw();
  state.watch(["epoch", "chosen", "clipped_only", "show_all"], draw);
  const forget = playOnce(body, play, () => state.set({ epoch: 0 }));
  return () => {
    state.off();
    play.stop();
    forget();
  };
}

/** The best responses and the worst, or all of them; a chip for every token. */
function responseBoard(state) {
  const responses = state.get("responses");
  const axis = driftAxis(state);
  const lines = responses.map((response) => responseLine(response, axis));
  const rows = html("div", { class: "live-responses" });
  const node = html("div", {}, html("div", { class: "live-response" }, filters(state), axis.node), rows);
  let shown = [];
  choosing(rows, (i) => state.set({ chosen: placesOf(responses, shown)[i] }));
  function arrange() {
    const wanted = state.get("show_all") ? responses.map((_, b) => b) : bestAndWorst(responses.length);
    if (wanted.length === shown.length) return;
    shown = wanted;
    const between = html("p", { class: "live-note live-response-gap" }, `⋮ ${responses.length - shown.length} more`);
    const gap = shown.length < responses.length ? [between] : [];
    const half = Math.ceil(SHOWN / 2);
    const nodes = shown.map((b) => lines[b].node);
    rows.replaceChildren(...nodes.slice(0, half), ...gap, ...nodes.slice(half));
  }
  function draw() {
    arrange();
    const ratios = state.get("ratios")[state.get("epoch")];
    for (const b of shown) lines[b].put(ratios[b], state.get("clip_eps"));
    node.classList.toggle("live-heat-only", state.get("clipped_only"));
    const places = placesOf(responses, shown).map(String);
    choose(
      shown.flatMap((b) => lines[b].chips),
      places.indexOf(String(state.get("chosen"))),
    );
  }
  return { node, draw };
}

const placesOf = (responses, shown) => shown.flatMap((b) => responses[b].pieces.map((_, t) => [b, t]));

function bestAndWorst(count) {
  const all = Array.from({ length: count }, (_, b) => b);
  return count <= SHOWN ? all : [...all.slice(0, Math.ceil(SHOWN / 2)), ...all.slice(-Math.floor(SHOWN / 2))];
}

/** Two switches: the clipped tokens alone, and all responses. */
function filters(state) {
  const count = state.get("responses").length;
  const flip =
    (name, more = () => ({})) =>
    () =>
      state.set({ [name]: !state.get(name), ...more() });
  // a token that is no longer shown cannot stay chosen
  const back = () => (bestAndWorst(count).includes(state.get("chosen")[0]) ? {} : { chosen: [0, 0] });
  const clipped = button("Clipped only", flip("clipped_only"));
  const all = button(`All ${count} responses`, flip("show_all", back));
  const update = () => {
    clipped.setAttribute("aria-pressed", state.get("clipped_only"));
    all.setAttribute("aria-pressed", state.get("show_all"));
  };
  state.watch(["clipped_only", "show_all"], update);
  update();
  return html("div", { class: "live-buttons live-ratio-filters" }, clipped, ...(count > SHOWN ? [all] : []));
}

function batchFacts(state) {
  const advantages = state.get("responses").map((response) => response.advantages);
  const found = factsOf(state.get("ratios")[state.get("epoch")], advantages, state.get("clip_eps"));
  return [
    ["tokens outside the band", percent(found.outside)],
    ["without gradient", percent(found.clipped)],
    ["largest token ratio", times(found.token)],
    ["largest product", times(found.response)],
  ];
}

const percent = (share) => (share > 0 && share < 0.0005 ? "< 0.1 %" : `${show(100 * share)} %`);

function wordsOf(state) {
  const [b, t] = state.get("chosen");
  const { row, pieces, advantages } = state.get("responses")[b];
  const ratio = state.get("ratios")[state.get("epoch")][b][t];
  const likely = ratio === 1 ? "as likely as" : `${times(ratio)} times as likely as`;
  const push = pushOf(ratio, advantages[t], state.get("clip_eps"));
  return `${quoted(pieces[t])} in row ${row} is ${likely} when it was written. ${push}`;
}

function pushOf(ratio, advantage, eps) {
  const words = `Advantage ${signed(advantage)}:`;
  if (isClipped(ratio, advantage, eps)) return `${words} clipped, it pushes no further.`;
  if (advantage === 0) return `${words} it does not push.`;
  return `${words} it pushes ${advantage > 0 ? "up" : "down"}.`;
}

export default { render };
