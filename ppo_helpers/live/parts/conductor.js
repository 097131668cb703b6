// The clock that lets walkers walk, and its buttons.
import { button } from "./controls.js";
import { LIMIT } from "./crowd.js";
import { html } from "./dom.js";
import { calm, player } from "./playback.js";

/** The clock and its buttons: Walk plays a walk to its end, a hundred walk together, ever faster. */
export function conductor(crowd, draw) {
  const alone = () => crowd.now.length === 1;
  const pace = () => (alone() ? Math.max(80, 320 - 10 * crowd.moves) : 60);
  const advance = (moves) => {
    for (let i = 0; i < moves && !crowd.over(); i++) crowd.advance();
    draw();
  };
  const tick = () => {
    advance(alone() ? 1 : 1 + Math.floor(crowd.moves / 12));
    return !crowd.over();
  };
  const clock = player(tick, pace, (on) => {
    walk.textContent = on ? "Pause" : "Walk";
    draw();
  });
  const start = () => {
    if (crowd.over()) crowd.begin(1);
    clock.start();
  };
  const step = () => {
    clock.stop();
    if (crowd.over()) crowd.begin(1);
    else crowd.advance();
    draw();
  };
  const hundred = () => {
    clock.stop();
    if (crowd.moves) crowd.finish();
    crowd.begin(100);
    if (calm()) advance(LIMIT);
    else clock.start();
  };
  const walk = button("Walk", () => (clock.playing() ? clock.stop() : start()), { class: "live-button live-play" });
  const buttons = (forget) => {
    const others = [button("Step", step), button("100 walks", hundred), button("Forget", forget)];
    return html("div", { class: "live-buttons" }, walk, ...others);
  };
  return { start, stop: clock.stop, playing: clock.playing, pace: () => (clock.playing() ? pace() : 0), buttons };
}
