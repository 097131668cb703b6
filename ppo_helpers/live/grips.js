// What chapters 5 and 6 drag and point with: a grip with a large place to touch, and the arrow of a gradient.

/** From a place in the drawing back to a number, for a straight axis. */
const inverse = (scale) => (at) => (at - scale(0)) / (scale(1) - scale(0));

/** Something that is dragged along the x or y axis of `plot`, or moved by arrow keys, Page Up/Down, Home and End. `parts`
 *  are its shapes around the point (0, 0), the first one being the place to touch; call the result to put it somewhere. */
function grip(plot, { along, label, min, max, step, page, parts, onmove }) {
  const node = svg("g", { class: `live-grip live-grip-${along}`, tabindex: 0, role: "slider", "aria-label": label, "aria-valuemin": min,
    "aria-valuemax": max, "aria-orientation": along === "x" ? "horizontal" : "vertical", "data-lm-suppress-shortcuts": "true" }, ...parts);
  const back = inverse(along === "x" ? plot.px : plot.py);
  const under = (event) => {
    const frame = plot.node.getBoundingClientRect(), unit = plot.node.viewBox.baseVal.width / frame.width;
    return back(unit * (along === "x" ? event.clientX - frame.left : event.clientY - frame.top));
  };
  const snap = (v) => +Math.max(min, Math.min(max, Math.round(v / step) * step)).toFixed(6);
  let value = 0, held = 0; // held: how far beside the point it was grasped
  node.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    node.setPointerCapture(event.pointerId);
    event.preventDefault();
    node.focus();
    held = under(event) - value;
  });
  node.addEventListener("pointermove", (event) => { if (node.hasPointerCapture(event.pointerId)) onmove(snap(under(event) - held)); });
  node.addEventListener("keydown", (event) => {
    const to = { ArrowUp: value + step, ArrowRight: value + step, ArrowDown: value - step, ArrowLeft: value - step,
      PageUp: value + page, PageDown: value - page, Home: min, End: max }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    onmove(snap(to));
  });
  plot.node.append(node);
  return (v, x, y, words = show(v, 2)) => {
    value = v;
    node.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)})`);
    node.setAttribute("aria-valuenow", v);
    node.setAttribute("aria-valuetext", words);
  };
}

/** The outline of an arrow from (x, y) by (dx, dy): nothing if that is no way at all. */
function arrowPath(x, y, dx, dy) {
  const length = Math.hypot(dx, dy);
  if (length < 0.3) return "";
  const head = Math.min(12, length), ux = dx / length, uy = dy / length, half = 0.6 * head;
  const at = (along, aside) => `${(x + along * ux - aside * uy).toFixed(1)} ${(y + along * uy + aside * ux).toFixed(1)}`;
  return `M${at(0, 2)}L${at(length - head, 2)}L${at(length - head, half)}L${at(length, 0)}` +
    `L${at(length - head, -half)}L${at(length - head, -2)}L${at(0, -2)}Z`;
}

/** Up to three decimals; a number too small for them is not called 0. */
const fine = (value) => (value !== 0 && Math.abs(value) < 0.0005 ? "≈ 0" : show(value, 3));

/** Terms and numbers, side by side. */
const facts = (pairs) => pairs.map(([term, value]) => html("div", {}, html("dt", {}, term), html("dd", {}, value)));
