// Chapter 4: one path, its rewards and the critic's values; λ and γ decide how far each step looks ahead.
function render({ model, el }) {
  const T = model.get("rewards").length, marks = Array.from({ length: T }, (_, t) => t);
  const plot = axes({ x: [-0.6, T - 0.4], y: [-6, 6], xticks: marks, yticks: [-6, -4, -2, 0, 2, 4, 6], xlabel: "step t", ylabel: "reward points", height: 300 });
  const bars = marks.map((t) => [-0.2, 0.2].map((shift, i) => {
    const bar = svg("rect", { x: plot.px(t + shift) - 14, width: 28, class: i ? "live-advantage" : "live-delta" });
    plot.node.append(bar);
    return bar;
  }));
  const handles = marks.map((t) => handle(plot, { at: t, label: `value of the state at step ${t}`, min: -5, max: 5, step: 0.5,
    onmove: (v) => { set({ values: model.get("values").map((old, i) => (i === t ? v : old)) }); } }));
  const legend = html("p", { class: "live-legend" }, html("span", { class: "live-key live-key-delta" }), "TD error δ", html("span", { class: "live-key live-key-advantage" }), "advantage Â", html("span", { class: "live-key live-key-value" }), "value V: drag it");
  const percent = { min: 0, max: 1, step: 0.05, words: (v) => show(v, 2) };
  const lam = slider(model, "lam", { label: "λ: how far to trust rewards", ...percent });
  const gamma = slider(model, "gamma", { label: "discount γ", ...percent, min: 0.5 });
  const at = slider(model, "step", { label: "step to explain", min: 0, max: T - 1, step: 1, words: String });
  const table = html("table", { class: "live-table" }), status = html("p", { class: "live-status", role: "status" });
  const reset = button("Reset", () => set({ values: model.get("initial_values"), lam: 0.95, gamma: 1, step: 0 }));
  const wide = html("div", { class: "live-scroll", tabindex: "0", role: "region", "aria-label": "numbers of the path" }, table);
  el.append(html("div", { class: "live-body" }, lam.node, gamma.node, plot.node, legend, at.node, wide, status, html("div", { class: "live-buttons" }, reset)));
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
      handles[t](values[t]);
    });
    const weights = marks.map((t) => (t < now ? "" : show((g * l) ** (t - now), 2)));
    table.replaceChildren(html("tbody", {}, row("step t", marks.map(String)), row("reward r", rewards.map((v) => show(v))), row("value V", values.map((v) => show(v))),
      row("TD error δ", deltas.map((v) => show(v, 2))), row(`weight in Â${now}`, weights), row("advantage Â", advantages.map((v) => show(v, 2)), "live-strong"), row("return Â + V", returns.map((v) => show(v, 2)))));
    const terms = marks.slice(now).map((t) => `${weights[t]}·(${show(deltas[t], 2)})`).join(" + ");
    status.textContent = `Â${now} = ${terms} = ${show(advantages[now], 2)}`;
    plot.node.setAttribute("aria-label", `${model.get("alt")} Advantages by step: ${advantages.map((v) => show(v, 2)).join(", ")}.`);
  }
  draw();
  const off = listen(model, ["values", "lam", "gamma", "step"], draw);
  return () => { off(); lam.off(); gamma.off(); at.off(); };
}
export default { render };
