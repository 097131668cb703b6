// What stands around the grids of chapter 7: the histogram of the ratios and the curves of the training.

/** Are the edges evenly spaced on a log scale rather than a straight one? */
function isLogScale(edges) {
  const n = edges.length;
  return edges[0] > 0 && Math.abs(Math.log((edges[1] * edges[n - 2]) / (edges[0] * edges[n - 1]))) < 1e-3 * Math.log(edges[n - 1] / edges[0]);
}

/** At most `most` round numbers within [low, high]. */
function roundTicks(low, high, most) {
  const rough = (high - low) / most, unit = 10 ** Math.floor(Math.log10(rough)), step = unit * [1, 2, 5, 10].find((m) => m * unit >= rough * (1 - 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => +((first + i) * step).toPrecision(10) || 0);
}

/** Counts of the ratio by bin, as shares of all; the height is the square root of the share, so that rare ones are seen. */
function ratioBars(edges, eps, cls) {
  const log = isLogScale(edges), scale = log ? Math.log10 : (v) => v, [low, high] = [scale(edges[0]), scale(edges.at(-1))];
  const width = 320, height = 150, px = (v) => 10 + ((scale(v) - low) / (high - low)) * (width - 20), base = height - 40;
  const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "live-plot live-ratios", role: "img" });
  const text = (x, y, words) => svg("text", { x, y, "text-anchor": "middle", class: "live-label" }, words);
  const inside = (v) => Math.max(edges[0], Math.min(edges.at(-1), v)), [left, right] = [px(inside(1 - eps)), px(inside(1 + eps))];
  node.append(svg("rect", { x: left, width: right - left, y: 8, height: base - 8, class: "live-band" }));
  const bars = edges.slice(1).map((edge, i) => {
    const bar = svg("rect", { x: px(edges[i]) + 0.5, width: Math.max(1, px(edge) - px(edges[i]) - 1), class: cls });
    node.append(bar);
    return bar;
  });
  const ticks = log ? [0.001, 0.01, 0.1, 1, 10, 100, 1000].filter((v) => v >= edges[0] * 0.999 && v <= edges.at(-1) * 1.001) : roundTicks(low, high, 5);
  node.append(svg("path", { d: `M10 ${base}H${width - 10}`, class: "live-zero" }), ...ticks.map((v) => text(px(v), base + 16, show(v, 3))), text(width / 2, height - 6, "ratio after the update"));
  for (const x of [left, right]) node.append(svg("path", { d: `M${x} 8V${base}`, class: "live-edge" }));
  return {
    node,
    put(counts) {
      const all = counts.reduce((a, b) => a + b, 0) || 1, room = base - 10;
      let out = 0; // the share of the bins whose middle lies outside the band
      bars.forEach((bar, i) => {
        const share = counts[i] / all, middle = log ? Math.sqrt(edges[i] * edges[i + 1]) : (edges[i] + edges[i + 1]) / 2;
        bar.setAttribute("y", base - room * Math.sqrt(share));
        bar.setAttribute("height", room * Math.sqrt(share));
        if (middle < 1 - eps || middle > 1 + eps) out += share;
      });
      node.setAttribute("aria-label", `ratios after the update: ${show(100 * out, 0)} % outside the band of ${show(1 - eps, 2)} to ${show(1 + eps, 2)}`);
    },
  };
}

/** One line for each run, point k being iteration k + 1; pressing or dragging calls `onscrub` with the iteration there. */
function curvePlot(lines, label, onscrub) {
  const all = lines.flat(), n = Math.max(...lines.map((line) => line.length), 2);
  let [low, high] = [Math.min(...all), Math.max(...all)];
  if (high - low < 1e-9) [low, high] = [low - 0.5, high + 0.5];
  const room = 0.06 * (high - low), y = [low - room, high + room];
  const plot = axes({ x: [0, n], y, xticks: roundTicks(0, n, 5), yticks: roundTicks(...y, 4), xlabel: "iteration: drag to go there", ylabel: label, width: 540, height: 220 });
  lines.forEach((line, i) => plot.line(`live-curve-${i}`)(line.map((v, k) => [k + 1, v])));
  const marker = svg("path", { class: "live-marker" }), dots = lines.map((_, i) => svg("circle", { r: 6, class: `live-run-${i} live-ring` }));
  const back = (event) => {
    const frame = plot.node.getBoundingClientRect(), at = (540 * (event.clientX - frame.left)) / frame.width;
    return (at - plot.px(0)) / (plot.px(1) - plot.px(0));
  };
  plot.node.append(marker, ...dots);
  plot.node.setAttribute("role", "img");
  plot.node.setAttribute("aria-label", `${label} by iteration`);
  plot.node.classList.add("live-scrub");
  plot.node.addEventListener("pointerdown", (event) => { plot.node.setPointerCapture(event.pointerId); event.preventDefault(); onscrub(back(event)); });
  plot.node.addEventListener("pointermove", (event) => { if (plot.node.hasPointerCapture(event.pointerId)) onscrub(back(event)); });
  return {
    node: plot.node,
    put(iteration) {
      marker.setAttribute("d", `M${plot.px(iteration)} 26V180`);
      dots.forEach((dot, i) => {
        const value = lines[i][iteration - 1]; // none before the first iteration
        dot.style.display = value === undefined ? "none" : "";
        if (value !== undefined) { dot.setAttribute("cx", plot.px(iteration)); dot.setAttribute("cy", plot.py(value)); }
      });
    },
  };
}
