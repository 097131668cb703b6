// What is dragged along a plot, and the arrow of a gradient.
import { show, svg } from "./dom.js";

/** From a place in the drawing back to a number, for a straight axis. */
export const inverse = (scale) => (at) => (at - scale(0)) / (scale(1) - scale(0));

/** Where a pointer is along the x or y axis of a plot, as a number of that axis. */
export function under(plot, along, event) {
  const frame = plot.node.getBoundingClientRect();
  const unit = plot.node.viewBox.baseVal.width / frame.width;
  const at = along === "x" ? event.clientX - frame.left : event.clientY - frame.top;
  return inverse(along === "x" ? plot.px : plot.py)(unit * at);
}

/** Something that is dragged along the x or y axis of `plot`, or moved by arrow keys, Page Up/Down, Home and End.
 *  `parts` are its shapes around the point (0, 0), the first one being the place to touch; call the result to put it
 *  somewhere. */
export function grip(plot, { along, label, min, max, step, page, parts, onmove }) {
  const orientation = along === "x" ? "horizontal" : "vertical";
  const names = { "aria-label": label, "aria-valuemin": min, "aria-valuemax": max, "aria-orientation": orientation };
  const look = {
    class: `live-grip live-grip-${along}`,
    tabindex: 0,
    role: "slider",
    "data-lm-suppress-shortcuts": "true",
  };
  const node = svg("g", { ...look, ...names }, ...parts);
  const snap = (v) => +Math.max(min, Math.min(max, Math.round(v / step) * step)).toFixed(6);
  let value = 0;
  drag(
    node,
    plot,
    along,
    () => value,
    (v) => onmove(snap(v)),
  );
  keys(node, (key) => {
    const up = { ArrowUp: step, ArrowRight: step, ArrowDown: -step, ArrowLeft: -step, PageUp: page, PageDown: -page };
    const to = key in up ? value + up[key] : { Home: min, End: max }[key];
    if (to !== undefined) onmove(snap(to));
    return to !== undefined;
  });
  plot.node.append(node);
  return (v, x, y, words = show(v, 2)) => {
    value = v;
    node.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)})`);
    node.setAttribute("aria-valuenow", v);
    node.setAttribute("aria-valuetext", words);
  };
}

function drag(node, plot, along, value, onmove) {
  let held = 0; // how far beside the point it was grasped
  node.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    node.setPointerCapture(event.pointerId);
    event.preventDefault();
    node.classList.remove("live-keyed");
    node.focus();
    held = under(plot, along, event) - value();
  });
  node.addEventListener("pointermove", (event) => {
    if (node.hasPointerCapture(event.pointerId)) onmove(under(plot, along, event) - held);
  });
}

function keys(node, onkey) {
  node.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !onkey(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  // a ring shows where the keyboard is; after a press of the mouse nobody needs it
  node.addEventListener("keyup", () => node.classList.add("live-keyed"));
}

/** The outline of an arrow from (x, y) by (dx, dy): nothing if that is no way at all. */
export function arrowPath(x, y, dx, dy) {
  const length = Math.hypot(dx, dy);
  if (length < 0.3) return "";
  const head = Math.min(12, length);
  const [ux, uy, half] = [dx / length, dy / length, 0.6 * head];
  const at = (along, aside) =>
    `${(x + along * ux - aside * uy).toFixed(1)} ${(y + along * uy + aside * ux).toFixed(1)}`;
  const tip = `L${at(length - head, half)}L${at(length, 0)}L${at(length - head, -half)}`;
  return `M${at(0, 2)}L${at(length - head, 2)}${tip}L${at(length - head, -2)}L${at(0, -2)}Z`;
}
