// Axes and what is drawn on them, as SVG that takes the page's text colour.
const SVG = "http://www.w3.org/2000/svg";
function svg(name, attrs = {}, ...kids) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attrs)) node.setAttribute(key, value);
  node.append(...kids);
  return node;
}

/** Axes on x = [x0, x1], y = [y0, y1]; `ticks` are the labelled values. */
function axes({ x, y, xticks, yticks, xlabel, ylabel, width = 540, height = 240 }) {
  const box = { left: 46, right: 14, top: 26, bottom: 40 };
  const px = (v) => box.left + ((v - x[0]) / (x[1] - x[0])) * (width - box.left - box.right);
  const py = (v) => height - box.bottom - ((v - y[0]) / (y[1] - y[0])) * (height - box.top - box.bottom);
  const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "live-plot" });
  const text = (at, words, attrs = {}) =>
    svg("text", { x: at[0], y: at[1], "text-anchor": "middle", class: "live-label", ...attrs }, words);
  for (const v of yticks) {
    node.append(svg("path", { d: `M${px(x[0])} ${py(v)}H${px(x[1])}`, class: v === 0 ? "live-zero" : "live-rule" }),
      text([box.left - 7, py(v) + 4], show(v, 2), { "text-anchor": "end" }));
  }
  for (const v of xticks) node.append(text([px(v), height - box.bottom + 17], show(v, 2)));
  node.append(text([(px(x[0]) + px(x[1])) / 2, height - 5], xlabel), text([4, 14], ylabel, { "text-anchor": "start" }));
  return {
    node, px, py, text,
    value: (clientY) => { // from a pointer's place on the screen to the y axis
      const frame = node.getBoundingClientRect(), inside = ((clientY - frame.top) / frame.height) * height;
      return y[0] + ((height - box.bottom - inside) / (height - box.top - box.bottom)) * (y[1] - y[0]);
    },
    line(cls) {
      const path = svg("path", { class: `live-line ${cls}`, fill: "none" });
      node.append(path);
      return (points) => path.setAttribute("d", points.map(([a, b], i) => `${i ? "L" : "M"}${px(a).toFixed(1)} ${py(b).toFixed(1)}`).join(""));
    },
  };
}

/** A point that is dragged up and down, by pointer or arrow keys; a slider to screen readers. */
function handle(plot, { at, label, min, max, step, onmove }) {
  const snap = (v) => +Math.max(min, Math.min(max, Math.round(v / step) * step)).toFixed(6);
  const node = svg("circle", { cx: plot.px(at), r: 9, tabindex: 0, role: "slider", class: "live-handle", "aria-label": label,
    "aria-valuemin": min, "aria-valuemax": max, "aria-orientation": "vertical", "data-lm-suppress-shortcuts": "true" });
  let value = 0;
  node.addEventListener("pointerdown", (event) => { node.setPointerCapture(event.pointerId); event.preventDefault(); node.focus(); });
  node.addEventListener("pointermove", (event) => {
    if (node.hasPointerCapture(event.pointerId)) onmove(snap(plot.value(event.clientY)));
  });
  node.addEventListener("keydown", (event) => {
    const by = { ArrowUp: step, ArrowRight: step, ArrowDown: -step, ArrowLeft: -step }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    onmove(snap(value + by));
  });
  plot.node.append(node);
  return (v) => {
    value = v;
    node.setAttribute("cy", plot.py(v));
    node.setAttribute("aria-valuenow", v);
    node.setAttribute("aria-valuetext", show(v));
  };
}
