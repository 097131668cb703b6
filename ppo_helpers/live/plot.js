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
    line(cls) {
      const path = svg("path", { class: `live-line ${cls}`, fill: "none" });
      node.append(path);
      return (points) => path.setAttribute("d", points.map(([a, b], i) => `${i ? "L" : "M"}${px(a).toFixed(1)} ${py(b).toFixed(1)}`).join(""));
    },
  };
}

/** What the colours stand for: pairs of a key's class and its words. */
const legendOf = (pairs) => html("p", { class: "live-legend" },
  ...pairs.map(([cls, words]) => html("span", { class: "live-item" }, html("span", { class: `live-key ${cls}` }), words)));
