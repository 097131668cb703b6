// Chapter 4: one path to walk, its rewards and the critic's values; λ and γ decide how far each step looks ahead.
function render({ model, el }) {
  const T = model.get("rewards").length, marks = Array.from({ length: T }, (_, t) => t);
  const plot = axes({ x: [-0.6, T - 0.4], y: [-6, 6], xticks: marks, yticks: [-6, -4, -2, 0, 2, 4, 6], xlabel: "step t", ylabel: "reward points", height: 300 });
  const bars = marks.map((t) => [-0.2, 0.2].map((shift, i) => {
    const bar = svg("rect", { x: plot.px(t + shift) - 14, width: 28, class: i ? "live-advantage" : "live-delta" });
    plot.node.append(bar);
    return bar;
  }));
  const grips = marks.map((t) => grip(plot, { along: "y", label: `value of the state at step ${t}`, min: -5, max: 5, step: 0.5, page: 1,
    parts: [svg("circle", { r: 24, class: "live-touch" }), svg("circle", { r: 9, class: "live-knob" })],
    onmove: (v) => set({ values: model.get("values").map((old, i) => (i === t ? v : old)) }) }));
  const legend = legendOf([["live-key-delta", "TD error δ"], ["live-key-advantage", "advantage Â"], ["live-key-value", "value V: drag it"]]);
  const percent = { min: 0, max: 1, step: 0.05, words: (v) => show(v, 2) };
  const lam = slider(model, "lam", { label: "λ: trust in rewards", ...percent });
  const gamma = slider(model, "gamma", { label: "discount γ", ...percent, min: 0.5 });
  const at = slider(model, "step", { label: "step to explain", min: 0, max: T - 1, step: 1, words: String });
  const table = html("table", { class: "live-table" }), status = html("p", { class: "live-status", role: "status" });
  const way = strip(plot, model.get("rewards"), model.get("last_value"), (t) => { play.stop(); set({ step: t }); });
  const play = player(() => {
    const t = model.get("step") + 1;
    if (t < T) set({ step: t });
    return t + 1 < T;
  }, 900, (on) => { walk.textContent = on ? "Pause" : "Walk"; });
  const walk = button("Walk", () => { if (model.get("step") === T - 1) set({ step: 0 }); play.toggle(); });
  const initial = model.get("initial");
  const reset = button("Reset", () => { play.stop(); set({ ...initial, step: 0 }); });
  const wide = html("div", { class: "live-scroll", tabindex: "0", role: "region", "aria-label": "numbers of the path" }, table);
  el.append(html("div", { class: "live-body live-ppo" }, lam.node, gamma.node, at.node, html("div", { class: "live-buttons" }, walk, reset), way.node, plot.node, legend, wide, status));
  plot.node.setAttribute("role", "group");

  function set(changes) { model.set(changes); model.save_changes(); }
  function row(name, cells, cls = "") {
    const now = model.get("step");
    return html("tr", { class: cls }, html("th", { scope: "row" }, name), ...cells.map((v, t) => html("td", t === now ? { class: "live-now" } : {}, v)));
  }
  function draw() {
    const rewards = model.get("rewards"), values = model.get("values"), g = model.get("gamma"), l = model.get("lam"), now = model.get("step");
    const { deltas, advantages, returns } = gae(rewards, values, model.get("last_value"), g, l);
    marks.forEach((t) => {
      [deltas[t], advantages[t]].forEach((v, i) => {
        const top = plot.py(Math.min(6, Math.max(0, v))), bottom = plot.py(Math.max(-6, Math.min(0, v)));
        bars[t][i].setAttribute("y", top);
        bars[t][i].setAttribute("height", bottom - top);
        // the share of this TD error in the advantage that is being explained
        bars[t][i].style.opacity = i === 0 ? (t < now ? 0.12 : 0.15 + 0.85 * (g * l) ** (t - now)) : t === now ? 1 : 0.45;
      });
      grips[t](values[t], plot.px(t), plot.py(values[t]));
    });
    way.put(now, values, g * l);
    const weights = marks.map((t) => (t < now ? "" : show((g * l) ** (t - now), 2)));
    table.replaceChildren(html("tbody", {}, row("step t", marks.map(String)), row("reward r", rewards.map((v) => show(v))), row("value V", values.map((v) => show(v))),
      row("TD error δ", deltas.map((v) => show(v, 2))), row(`weight in Â${now}`, weights), row("advantage Â", advantages.map((v) => show(v, 2)), "live-strong"), row("return Â + V", returns.map((v) => show(v, 2)))));
    const terms = marks.slice(now).map((t) => `${weights[t]}·(${show(deltas[t], 2)})`).join(" + ");
    say(status, `Â${now} = ${terms} = ${show(advantages[now], 2)}`);
    plot.node.setAttribute("aria-label", `${model.get("alt")} Advantages by step: ${advantages.map((v) => show(v, 2)).join(", ")}.`);
  }
  draw();
  const off = listen(model, ["values", "lam", "gamma", "step"], draw);
  return () => { off(); play.stop(); lam.off(); gamma.off(); at.off(); };
}

/** The path itself, above the plot's columns: a circle with its value for each state, an arrow with its reward for each move.
 *  The arrows ahead are as strong as their weight in the advantage of the step where the walker stands. */
function strip(plot, rewards, lastValue, onpick) {
  const T = rewards.length, gap = plot.px(1) - plot.px(0), node = svg("svg", { viewBox: "0 0 540 76", class: "live-plot", "aria-hidden": "true" });
  const radius = Math.min(17, gap / 3), text = (x, y, words, cls) => svg("text", { x, y, "text-anchor": "middle", class: cls }, words);
  const end = text(Math.min(plot.px(T - 1) + 0.62 * gap, 528), 52, lastValue ? "…" : "■", "live-label"); // walks on, or arrived
  const moves = rewards.map((r, t) => {
    const from = plot.px(t) + radius + 3, to = t === T - 1 ? Math.min(from + 0.3 * gap, 512) : plot.px(t + 1) - radius - 3;
    const arrow = svg("path", { d: `M${from} 48H${to}m-6 -5l6 5l-6 5`, class: "live-move" });
    node.append(arrow, text((from + to) / 2, 20, show(r), "live-label"));
    return arrow;
  });
  const states = rewards.map((_, t) => {
    const circle = svg("circle", { cx: plot.px(t), cy: 48, r: radius, class: "live-state" }), words = text(plot.px(t), 53, "", "live-label");
    const target = svg("rect", { x: plot.px(t) - gap / 2, y: 0, width: gap, height: 76, class: "live-touch" });
    target.addEventListener("click", () => onpick(t));
    node.append(circle, words, target);
    return { circle, words };
  });
  node.append(end);
  return { node, put(now, values, weight) {
    states.forEach(({ circle, words }, t) => {
      circle.classList.toggle("live-here", t === now);
      words.textContent = show(values[t]);
    });
    moves.forEach((arrow, t) => { arrow.style.opacity = t < now ? 0.12 : 0.15 + 0.85 * weight ** (t - now); });
  } };
}
export default { render };
