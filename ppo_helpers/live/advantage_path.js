// Chapter 4: one path to walk, its rewards and the critic's values; λ and γ decide how far each step looks ahead.
function render({ model, el }) {
  const get = (name) => model.get(name), T = get("rewards").length, marks = Array.from({ length: T }, (_, t) => t);
  const plot = axes({ x: [-0.35, T + 0.35], y: [-6, 6], xticks: marks, yticks: [-5, 0, 5], xlabel: "step t", ylabel: "reward points", height: 280 });
  const bars = marks.map(() => ["live-delta", "live-advantage"].map((cls) => {
    const bar = svg("path", { class: cls });
    plot.node.append(bar);
    return bar;
  }));
  const gap = plot.px(1) - plot.px(0), touch = Math.min(35, gap / 2);
  const grips = marks.map((t) => grip(plot, { along: "y", label: `value of the state at step ${t}`, min: -5, max: 5, step: 0.5, page: 1,
    parts: [svg("circle", { r: touch, class: "live-touch" }), svg("circle", { r: Math.min(9, 0.2 * gap), class: "live-knob" })],
    onmove: (v) => set({ values: get("values").map((old, i) => (i === t ? v : old)) }) }));
  const way = strip(plot, get("rewards"), get("last_value"), (t) => { play.stop(); set({ step: t }); });
  const legend = legendOf([["live-key-delta", "TD error δ"], ["live-key-advantage", "advantage Â"], ["live-key-value", "value V: drag it"]]);
  const percent = { min: 0, max: 1, step: 0.05, words: (v) => show(v, 2) };
  const lam = slider(model, "lam", { label: "λ: trust in rewards", ...percent }), gamma = slider(model, "gamma", { label: "discount γ", ...percent, min: 0.5 });
  const table = html("table", { class: "live-table", style: `--steps: ${T}` });
  const lines = (room) => 1 + Math.ceil((8 + 11 * T) / room); // what the longest explanation needs
  const status = html("p", { class: "live-status", role: "status", style: `--wide: ${lines(62)}; --narrow: ${lines(36)}` });

  let playing = false;
  const play = player(() => {
    set({ step: get("step") === T ? 0 : get("step") + 1 });
    return get("step") < T;
  }, 1100, (on) => { if (on === playing) return; playing = on; walk.textContent = on ? "Pause" : "Walk"; draw(); });
  const walk = button("Walk", () => play.toggle());
  const go = (by) => { play.stop(); set({ step: Math.max(0, Math.min(T, get("step") + by)) }); };
  const back = button("Back", () => go(-1)), step = button("Step", () => go(1));
  const reset = button("Reset", () => { play.stop(); set({ ...get("initial"), step: 0 }); });
  const drawing = html("div", { class: T > 7 ? "live-drawing live-long" : "live-drawing" }, way.node, plot.node);
  const numbers = html("div", { class: "live-scroll", tabindex: "0", role: "region", "aria-label": "numbers of the path" }, table);
  el.append(html("div", { class: "live-body live-ppo live-learning" }, html("div", { class: "live-buttons" }, walk, back, step, reset),
    drawing, legend, lam.node, gamma.node, status, numbers));
  plot.node.setAttribute("role", "group");

  function set(changes) { model.set(changes); model.save_changes(); }
  function row(name, cells, cls = "") {
    return html("tr", { class: cls }, html("th", { scope: "row" }, name), ...cells.map((v, t) => html("td", t === get("step") ? { class: "live-now" } : {}, v)));
  }
  function draw() {
    const path = ["rewards", "values", "last_value", "gamma", "lam"].map(get), [rewards, values, , g, l] = path, now = get("step");
    const { deltas, advantages, returns } = gae(...path), weights = marks.map((t) => (t < now ? null : (g * l) ** (t - now)));
    marks.forEach((t) => {
      [deltas[t], advantages[t]].forEach((v, i) => {
        bars[t][i].setAttribute("d", barPath(plot, ...barPlace(plot, gap, t, i), v));
        // the share of this TD error in the advantage that is being explained
        bars[t][i].style.opacity = i === 0 ? strength(weights[t]) : t === now ? 1 : 0.45;
      });
      grips[t](values[t], plot.px(t), plot.py(values[t]));
    });
    const words = (numbers) => numbers.map((v) => (v === null ? "" : show(v, 2)));
    table.replaceChildren(html("tbody", {}, row("step t", words(marks)), row("reward r", words(rewards)), row("value V", words(values)), row("TD error δ", words(deltas)),
      row("weight", words(weights)), row("advantage Â", words(advantages), "live-strong"), row("return Â + V", words(returns))));
    way.put(now, values, weights, now === T ? "the end of the path"
      : `step ${now}: value ${show(values[now], 2)}, reward ${show(rewards[now], 2)}, advantage ${show(advantages[now], 2)}`);
    say(status, explain(...path, now), playing);
    plot.node.setAttribute("aria-label", `${get("alt")} Advantages by step: ${words(advantages).join(", ")}.`);
  }
  draw();
  const off = listen(model, ["values", "lam", "gamma", "step"], draw);
  return () => { off(); play.stop(); lam.off(); gamma.off(); };
}

/** How strongly something with this weight is drawn; what lies behind the walker has none. */
const strength = (weight) => (weight === null ? 0.12 : 0.2 + 0.8 * weight);

/** Left edge and width of a step's two bars: they stand under its move, to the right of its state. */
function barPlace(plot, gap, t, i) {
  const width = Math.min(26, 0.26 * gap);
  return [plot.px(t) + Math.min(40, 0.36 * gap) - width / 2 + i * 1.15 * width, width];
}

/** A bar from zero to v; one that leaves the plot ends in a point. */
function barPath(plot, x, width, v) {
  const end = plot.py(Math.max(-6, Math.min(6, v))), shoulder = Math.abs(v) > 6 ? end + 9 * Math.sign(v) : end;
  return `M${x} ${plot.py(0)}V${shoulder}L${x + width / 2} ${end}L${x + width} ${shoulder}V${plot.py(0)}Z`;
}

/** The path itself, above the plot's columns: its states with their values, an arrow with its reward for each move, and
 *  under the moves ahead of the walker the weights of their TD errors. The walker is dragged, or a state is clicked. */
function strip(plot, rewards, lastValue, onpick) {
  const T = rewards.length, gap = plot.px(1) - plot.px(0), radius = Math.min(18, gap / 3.2), y = 64;
  const node = svg("svg", { viewBox: "0 0 540 112", class: "live-plot live-strip", role: "group", "aria-label": "the path" });
  const seen = svg("g", { "aria-hidden": "true" }); // to screen readers the walker and the table say the same
  const text = (x, at, words, cls = "") => svg("text", { x, y: at, "text-anchor": "middle", class: `live-label ${cls}` }, words);
  const put = (...parts) => { seen.append(...parts); return parts.at(-1); };
  node.append(seen);
  [["r", 35], ["V", y + 5], ["(γλ)ᵏ", 106]].forEach(([words, at]) => put(svg("text", { x: 0, y: at, class: "live-label" }, words)));
  const moves = rewards.map((r, t) => {
    const from = plot.px(t) + radius + 4, to = plot.px(t + 1) - radius - 6, middle = (from + to) / 2;
    put(text(middle, 35, prizeOf(r)));
    return { arrow: put(svg("path", { d: `M${from} ${y}H${to}m-6 -5l6 5l-6 5`, class: "live-move" })), weight: put(text(middle, 106, "", "live-weight")) };
  });
  const values = [...rewards, null].map((_, t) => {
    const x = plot.px(t), box = { x: x - radius, y: y - radius, width: 2 * radius, height: 2 * radius, rx: t === T ? 4 : radius };
    put(svg("rect", { ...box, class: t === T ? "live-state live-end" : "live-state" }));
    const value = put(text(x, y + 5, t < T ? "" : lastValue ? show(lastValue) : "end"));
    const target = svg("rect", { x: x - gap / 2, y: 0, width: gap, height: 112, class: "live-touch live-pick" });
    target.addEventListener("click", () => onpick(t));
    node.append(target);
    return value;
  });
  const walker = svg("g", { class: "live-walker", "aria-hidden": "true" });
  walker.innerHTML = ICONS.walker;
  const place = grip({ ...plot, node }, { along: "x", label: "walker", min: 0, max: T, step: 1, page: 1, onmove: onpick,
    parts: [svg("circle", { r: Math.min(35, gap / 2), class: "live-touch" }), svg("circle", { r: radius, class: "live-knob live-here" })] });
  node.append(walker);
  return { node, put(now, numbers, weights, words) {
    numbers.forEach((v, t) => { values[t].textContent = show(v); });
    moves.forEach(({ arrow, weight }, t) => {
      arrow.style.opacity = strength(weights[t]);
      weight.textContent = weights[t] === null ? "" : `×${show(weights[t], 2)}`;
    });
    place(now, plot.px(now), y, words);
    walker.style.transform = `translate(${plot.px(now) - 30}px, ${y - radius - 47}px) scale(0.6)`;
  } };
}

/** A reward with its sign. */
const prizeOf = (reward) => (reward > 0 ? "+" : "") + show(reward);
export default { render };
