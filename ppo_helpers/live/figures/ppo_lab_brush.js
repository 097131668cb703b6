// The lab's world can be painted: both sides train in it anew.
import { more } from "../parts/controls.js";
import { html } from "../parts/dom.js";
import { ASK, painter, palette } from "../parts/palette.js";
import { placeOf } from "./ppo_lab_school.js";

const REFUSED = "Not there: no walk could begin, or none could ever end.";

/** `paint(text)` is told of another world, `pick(s)` of a state that was touched to be read. A world in which nothing
 *  can be learned is refused; then `scene.note` says why. */
export function brushOf(state, scene, { paint, pick }) {
  const tools = palette(state.get("rewards"));
  const set = ({ text }) => {
    const possible = Number.isFinite(placeOf(state, text).judge.best);
    scene.note = possible ? "" : REFUSED;
    paint(possible ? text : scene.text);
  };
  const paints = painter({ ...state, set }, scene, tools.tool);
  const onpick = (r, c, dragged) => {
    scene.note = "";
    const s = scene.world.index[r][c];
    if (tools.tool() !== ASK) paints.onpick(r, c, dragged);
    else if (s >= 0) pick(s);
  };
  scene.painting = () => tools.tool() !== ASK;
  const hint = html(
    "p",
    { class: "live-note" },
    "Choose a tool and touch a cell of either grid. Both sides train anew, and the dots begin anew.",
  );
  return { node: more("Paint another world", hint, tools.node), grid: { ...paints, onpick } };
}
