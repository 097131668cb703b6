// Chapter 6: the clipped objective as a function of the ratio. Drag the point and the edges of the band.
function render({ model, el }) {
  const get = (name) => model.get(name), set = (changes) => { model.set(changes); model.save_changes(); };
  const WIDTH = 540, HEIGHT = 300, END = 2.2;
  const hatch = `live-${Math.random().toString(36).slice(2)}`;
  const size = { get: (a) => Math.abs(a), set: (v) => Math.sign(get("advantage")) * Number(v) };
  const slide = slider(model, "advantage", { label: "size of the advantage", min: 0.1, max: 3, step: 0.1, from: size.get, to: size.set, words: (a) => show(Math.abs(a)) });
  const flip = button("", () => set({ advantage: -get("advantage") }));
  const holder = html("div"), status = html("p", { class: "live-status", role: "status" }), numbers = html("dl", { class: "live-numbers" });
  const cases = [1, -1].flatMap((sign) => [0.5, 1, 1.5].map((ratio) => ({ sign, ratio,
    chip: button("", () => set({ ratio, advantage: sign * Math.abs(get("advantage")) }), { class: "live-button live-chip" }) })));
  const chips = html("div", { class: "live-chips", role: "group", "aria-label": "the six cases" }, ...cases.map(({ chip }) => chip));
  const legend = legendOf([["live-key-advantage", "objective L(r)"], ["live-key-dashed", "r · A without clipping"], ["live-key-flat", "flat: gradient 0"], ["live-key-delta", "gradient dL/dr"]]);
  el.append(html("div", { class: "live-body live-ppo" }, slide.node, html("div", { class: "live-buttons" }, flip, button("Reset", () => set(get("initial")))), holder, legend, chips, numbers, status));

  let plot = null, made = "";
  /** Axes for this sign and size of A: they stay while the point or the band is dragged. */
  function build(advantage) {
    const most = 2.4 * Math.ceil(Math.abs(advantage)), least = -most / 6, tick = Math.ceil(Math.abs(advantage));
    if (made === `${most} ${Math.sign(advantage)}`) return;
    made = `${most} ${Math.sign(advantage)}`;
    plot = axes({ x: [0, END], y: advantage > 0 ? [least, most] : [-most, -least], xticks: [0, 0.5, 1, 1.5, 2], yticks: [0, tick, 2 * tick].map((v) => v * Math.sign(advantage) || 0),
      xlabel: "ratio r: drag the point", ylabel: "L(r)", width: WIDTH, height: HEIGHT });
    plot.node.setAttribute("role", "group");
    const add = (name, attrs) => { const node = svg(name, attrs); plot.node.append(node); return node; };
    const pattern = svg("pattern", { id: hatch, width: 9, height: 9, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("path", { d: "M0 0V9", class: "live-hatch" }));
    plot.node.prepend(svg("defs", {}, pattern));
    const [top, bottom] = [26, HEIGHT - 40];
    plot.flat = add("rect", { y: top, height: bottom - top, fill: `url(#${hatch})`, class: "live-flat" });
    plot.band = add("rect", { y: top, height: bottom - top, class: "live-band" });
    plot.unclipped = plot.line("live-dashed");
    plot.curve = plot.line("live-objective");
    const tab = (side) => [svg("rect", { x: side < 0 ? -32 : -8, y: top, width: 40, height: bottom - top, class: "live-touch" }), svg("path", { d: `M0 ${top}V${bottom}`, class: "live-edge" }),
      svg("path", { d: `M0 ${top - 1}h${18 * side}v20h${-18 * side}z`, class: "live-tab" }), svg("path", { d: `M${6 * side} ${top + 5}v8M${12 * side} ${top + 5}v8`, class: "live-tab-lines" })];
    plot.edges = [-1, 1].map((side) => grip(plot, { along: "x", label: side < 0 ? "lower edge of the band, 1 − ε" : "upper edge of the band, 1 + ε", min: side < 0 ? 0.1 : 1.05, max: side < 0 ? 0.95 : 1.9,
      step: 0.01, page: 0.1, parts: tab(side), onmove: (v) => set({ clip_eps: +Math.abs(v - 1).toFixed(6) }) }));
    plot.words = [-1, 1].map(() => { const node = plot.text([0, 19], ""); plot.node.append(node); return node; });
    plot.arrow = add("path", { class: "live-gradient" });
    plot.point = grip(plot, { along: "x", label: "ratio r", min: 0, max: END, step: 0.01, page: 0.1, onmove: (v) => set({ ratio: v }),
      parts: [svg("circle", { r: 24, class: "live-touch" }), svg("circle", { r: 9, class: "live-knob" })] });
    holder.replaceChildren(plot.node);
  }

  function draw() {
    const A = get("advantage"), eps = get("clip_eps");
    const edges = [1 - eps, 1 + eps], r = edges.find((edge) => Math.abs(edge - get("ratio")) < 1e-9) ?? get("ratio"); // 1.9 is 1 + 0.9
    const value = clippedSurrogate(r, A, eps), gradient = clippedGradient(r, A, eps), flat = isFlat(r, A, eps);
    build(A);
    const { px, py } = plot, span = (node, from, to) => { node.setAttribute("x", px(from)); node.setAttribute("width", px(to) - px(from)); };
    span(plot.band, ...edges);
    span(plot.flat, ...(A > 0 ? [edges[1], END] : [0, edges[0]]));
    plot.unclipped([[0, 0], [END, END * A]]);
    plot.curve([0, ...edges, END].map((x) => [x, clippedSurrogate(x, A, eps)]));
    edges.forEach((edge, i) => {
      plot.edges[i](+edge.toFixed(6), px(edge), 0, `${show(edge, 2)}, ε is ${show(eps, 2)}`);
      plot.words[i].textContent = `1 ${"−+"[i]} ε`;
      plot.words[i].setAttribute("x", px(edge));
      plot.words[i].setAttribute("text-anchor", i ? "start" : "end");
    });
    plot.point(r, px(r), py(value), `${show(r, 2)}, objective ${fine(value)}, ${flat ? "gradient 0" : `gradient ${fine(gradient)}`}`);
    plot.arrow.setAttribute("d", arrowPath(px(r) + 11 * Math.sign(gradient), py(value), 22 * gradient, 0));
    plot.node.setAttribute("aria-label", get("alt"));
    flip.textContent = A > 0 ? "A is positive: make it negative" : "A is negative: make it positive";
    for (const { sign, ratio, chip } of cases) {
      const off = isFlat(ratio, sign * Math.abs(A), eps);
      chip.replaceChildren(html("span", {}, `A ${sign > 0 ? ">" : "<"} 0, r = ${ratio}`), html("small", {}, off ? "gradient 0" : sign > 0 ? "pushed up" : "pushed down"));
      chip.classList.toggle("live-off", off);
      chip.setAttribute("aria-pressed", Math.sign(A) === sign && Math.abs(r - ratio) < 1e-9);
    }
    numbers.replaceChildren(...facts([["ratio r", show(r, 2)], ["advantage A", show(A)], ["ε", show(eps, 2)], ["r · A", fine(r * A)], ["clip(r) · A", fine(clip(r, eps) * A)], ["minimum of both", fine(value)],
      ["gradient dL/dr", fine(gradient)], ["gradient by log π", fine(r * gradient)]]));
    const way = A > 0 ? "raises" : "lowers";
    say(status, flat ? "gradient 0: this sample pushes no further"
      : `gradient ${fine(r * gradient)} by log π: this sample ${way} the probability${edges.includes(r) ? "; on the edge itself it still counts in full" : ""}`);
  }
  draw();
  const off = listen(model, ["ratio", "advantage", "clip_eps"], draw);
  return () => { off(); slide.off(); };
}
export default { render };
