// Playing through the frames of a trait: Play, Back, Step, Reset and a slider, the same in every figure.
import { button, slider } from "./controls.js";
import { html } from "./dom.js";

/** True for readers who prefer less motion. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A clock that calls `tick` until it returns false; slower for readers who prefer less motion. `delay` is in
 *  milliseconds, or a function that says so before each tick. */
export function player(tick, delay, onchange) {
  let timer = null;
  const wait = () => (calm() ? 2 : 1) * (typeof delay === "function" ? delay() : delay);
  const stop = () => {
    if (timer === null) return;
    clearTimeout(timer);
    timer = null;
    onchange(false);
  };
  const next = () => {
    if (tick()) timer = setTimeout(next, wait());
    else stop();
  };
  const start = (linger = false) => {
    if (timer !== null) return;
    timer = setTimeout(next, linger ? wait() : 0);
    onchange(true);
  };
  return { start, stop, toggle: () => (timer === null ? start() : stop()), playing: () => timer !== null };
}

/** Buttons and a slider for the frames first … last() of the trait `name`. `verb` is what the first button says,
 *  `label` and `words` are the slider's (no label: no slider), `reset` is what the last button does besides going to
 *  frame `home`, `draw` is called when playing begins and ends. */
export function playback(
  state,
  name,
  { first = 0, last, home = first, delay = 500, verb = "Play", label, words, reset, draw = () => {} },
) {
  const now = () => state.get(name);
  const go = (frame) => state.set({ [name]: Math.max(first, Math.min(last(), frame)) });
  const advance = () => {
    go(now() + 1);
    return now() < last();
  };
  const clock = player(advance, delay, (on) => {
    play.textContent = on ? "Pause" : verb;
    draw();
  });
  const start = () => {
    if (now() >= last()) go(first);
    clock.start(now() === first); // where it begins is shown as long as any other frame
  };
  const by = (step) => () => {
    clock.stop();
    go(now() + step);
  };
  const play = button(verb, () => (clock.playing() ? clock.stop() : start()), { class: "live-button live-play" });
  const back = button("Reset", () => {
    clock.stop();
    reset?.();
    go(home);
  });
  const buttons = html("div", { class: "live-buttons" }, play, button("Back", by(-1)), button("Step", by(1)), back);
  const scrub = label ? slider(state, name, { label, min: first, max: last, step: 1, words }) : null;
  const node = html("div", { class: "live-playback" }, buttons, ...(scrub ? [scrub.node] : []));
  return { node, stop: clock.stop, playing: clock.playing, start, update: () => scrub?.update() };
}

/** Brings a number trait from `from`, `by` a tick, to where it stands now: what `playOnce` plays where there are no
 *  frames. */
export function glide(state, name, { from, by, delay = 60, draw = () => {} }) {
  const to = state.get(name);
  const tick = () => {
    const next = Math.min(to, +(state.get(name) + by).toFixed(6));
    state.set({ [name]: next });
    return next < to;
  };
  const clock = player(tick, delay, draw);
  const stop = () => {
    clock.stop();
    state.set({ [name]: to });
  };
  const rewind = () => state.set({ [name]: Math.min(from, to) });
  return { start: clock.start, playing: clock.playing, stop, cancel: clock.stop, rewind };
}

// most of a picture, or, where it is higher than the screen, most of the screen
const seen = ({ intersectionRatio, intersectionRect }) =>
  intersectionRatio >= 0.6 || intersectionRect.height >= 0.6 * innerHeight;

/** Play once from the beginning when the reader first sees the figure, unless they prefer less motion; the first touch
 *  ends it. */
export function playOnce(node, { start, stop, playing }, rewind) {
  if (calm() || typeof IntersectionObserver === "undefined") return () => {};
  let done = false;
  const halt = (event) => {
    if (!done) watcher.disconnect();
    else if (playing() && !event.target.closest(".live-play")) stop(); // that button stops it itself
    done = true;
    node.removeEventListener("pointerdown", halt, true);
    node.removeEventListener("keydown", halt, true);
  };
  const watcher = new IntersectionObserver(
    ([entry]) => {
      if (!seen(entry) || done) return;
      watcher.disconnect();
      done = true;
      rewind();
      start();
    },
    { threshold: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6] },
  );
  watcher.observe(node.querySelector(".live-picture") ?? node);
  node.addEventListener("pointerdown", halt, true);
  node.addEventListener("keydown", halt, true);
  return () => watcher.disconnect();
}
