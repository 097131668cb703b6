// The cart on its track and the pole on the cart; and the theatre in which walks are shown.
import { show, svg } from "../parts/dom.js";
import { text } from "../parts/plot.js";
import { STEEPEST, TICK, WIDEST } from "../twins/cartpole.js";

const [WIDTH, HEIGHT, GROUND, SCALE] = [540, 210, 164, 98]; // pixels, and how many of them a metre is
const [CART, TALL] = [56, 24];
const GHOSTS = 12; // poles of a walk that are shown at once
const PAUSE = 35; // pushes that a walk's end stays in sight
const px = (x) => WIDTH / 2 + SCALE * x;
const degrees = (angle) => (180 * angle) / Math.PI;

/** `put` shows a moment of a walk, `strobe` all of it. */
export function sceneOf(label) {
  const node = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "live-plot live-cart-pole", role: "img" });
  node.setAttribute("aria-label", label);
  const [words, mind] = [text([WIDTH / 2, HEIGHT - 8], ""), text([WIDTH / 2, 18], "")];
  const ends = [-WIDEST, WIDEST].map((x) => svg("path", { d: `M${px(x)} ${GROUND}v-14`, class: "live-edge" }));
  const track = svg("path", { d: `M${px(-WIDEST)} ${GROUND}H${px(WIDEST)}`, class: "live-zero" });
  const stage = svg("g");
  node.append(track, ...ends, stage, words, mind);
  return {
    node,
    put(walk, t) {
      stage.replaceChildren(cartOf(walk.states[t], walk.right[t], isOver(walk, t)));
      words.textContent = wordsOf(walk, t);
      mind.textContent = mindOf(walk, Math.min(t, walk.right.length - 1));
    },
    strobe(walk) {
      const last = walk.states.length - 1;
      const shown = Array.from({ length: Math.min(GHOSTS, last) }, (_, i) => Math.round((i * last) / GHOSTS));
      const ghosts = shown.map((t, i) => ghostOf(walk.states[t], 0.15 + (0.45 * i) / GHOSTS));
      stage.replaceChildren(...ghosts, cartOf(walk.states[last], undefined, walk.fell));
      words.textContent = wordsOf(walk, last);
      mind.textContent = "";
    },
  };
}

const isOver = ({ fell, states }, t) => fell && t === states.length - 1;

/** The cart, the angle that is allowed, the pole; and, as arrows, how likely it is to be pushed to either side. */
function cartOf([x, , angle], right, fallen) {
  const [at, top] = [px(x), GROUND - TALL];
  const side = SCALE * Math.tan(STEEPEST);
  const wedge = svg("path", {
    d: `M${at - side} ${top - SCALE}L${at} ${top}L${at + side} ${top - SCALE}`,
    class: "live-wedge",
  });
  const box = svg("rect", { x: at - CART / 2, y: top, width: CART, height: TALL, rx: 4, class: "live-cart" });
  const arrows = right === undefined ? [] : [arrow(at, -1, 1 - right), arrow(at, 1, right)];
  return svg("g", { class: fallen ? "live-fallen" : "" }, wedge, box, poleOf(at, top, angle), ...arrows);
}

const ghostOf = ([x, , angle], opacity) =>
  svg("g", { opacity: opacity.toFixed(2) }, poleOf(px(x), GROUND - TALL, angle));

function poleOf(at, top, angle) {
  const turn = `rotate(${degrees(angle).toFixed(2)} ${at.toFixed(1)} ${top})`;
  return svg("path", { d: `M${at.toFixed(1)} ${top}v${-SCALE}`, transform: turn, class: "live-pole" });
}

/** An arrow from the cart to one side, as long as its push is likely. */
function arrow(at, way, probability) {
  const [from, size] = [at + way * (CART / 2 + 4), way * (4 + 40 * probability)];
  const y = GROUND - TALL / 2;
  const d = `M${from.toFixed(1)} ${y}h${size.toFixed(1)}m${-way * 6} -5l${way * 6} 5l${-way * 6} 5`;
  return svg("path", { d, class: "live-push" });
}

/** What policy and critic say at a moment. */
const mindOf = ({ right, values }, t) =>
  `π(left) ${(1 - right[t]).toFixed(2)}, π(right) ${right[t].toFixed(2)}, V ${show(values[t])}`;

const counted = (pushes) => `${pushes} ${pushes === 1 ? "push" : "pushes"}, ${(pushes * TICK).toFixed(1)} s`;

function wordsOf(walk, t) {
  const over = t === walk.states.length - 1;
  if (!over) return counted(t);
  return walk.fell ? `over after ${counted(t)}` : `still up after ${counted(t)}: cut off`;
}

/** Shows walks as fast as they are: fifty pushes a second. At rest a walk is seen whole. `onchange` is told when it
 *  comes to rest. */
export function theatre(scene, onchange) {
  let [walk, next, request, begun] = [null, null, null, null];
  const begin = () => {
    const fresh = next();
    if (!fresh) return stop();
    [walk, begun] = [fresh, null];
    request = requestAnimationFrame(move);
  };
  const move = (now) => {
    begun ??= now;
    const t = Math.floor((now - begun) / 1000 / TICK);
    const last = walk.states.length - 1;
    scene.put(walk, Math.min(t, last));
    if (t > last + PAUSE) begin();
    else request = requestAnimationFrame(move);
  };
  const stop = () => {
    if (request === null) return;
    cancelAnimationFrame(request);
    request = null;
    scene.strobe(walk);
    onchange();
  };
  return {
    stop,
    playing: () => request !== null,
    rest(shown) {
      if (request !== null) cancelAnimationFrame(request);
      [walk, request] = [shown, null];
      scene.strobe(walk);
    },
    /** One walk after the other, as `given` hands them out, until it gives none. */
    run(given) {
      if (request !== null) cancelAnimationFrame(request);
      next = given;
      begin();
    },
  };
}
