// Chapter 5: push the logits of four actions and see the ratio of the one that was taken, the surrogate and its gradient.
const ACTIONS = [["↑", "up"], ["→", "right"], ["↓", "down"], ["←", "left"]];
const LIMIT = 6; // logits stay within ±6

function render({ model, el }) {
  const get = (name) => model.get(name), set = (changes) => { model.set(changes); model.save_changes(); };
  const WIDTH = 540, ALL = [0, 1, 2, 3], x = [-0.5, 3.5];
  const chances = axes({ x, y: [0, 1], xticks: [], yticks: [0, 0.5, 1], xlabel: "", ylabel: "probability", width: WIDTH, height: 190 });
  const plot = axes({ x, y: [-LIMIT, LIMIT], xticks: [], yticks: [-6, -3, 0, 3, 6], xlabel: "drag the points; an arrow ends where one step takes them", ylabel: "logit θ", width: WIDTH, height: 300 });
  const add = (to, name, attrs) => { const node = svg(name, attrs); to.node.append(node); return node; };
  const pick = (action) => set({ action, steps: 0 });
  const columns = ALL.map((j) => {
    const middle = chances.px(j), bar = (width, cls) => add(chances, "rect", { x: middle - width / 2, width, class: cls });
    const parts = { fill: bar(52, "live-new"), outline: bar(64, "live-old") };
    parts.target = add(chances, "rect", { x: middle - 58, y: 22, width: 116, height: 132, class: "live-touch live-pick" });
    parts.target.addEventListener("click", () => pick(j));
    parts.mark = add(plot, "path", { d: `M${plot.px(j) - 30} 0h60`, class: "live-before" });
    parts.arrow = add(plot, "path", { class: "live-gradient" });
    return parts;
  });
  const grips = ALL.map((j) => grip(plot, { along: "y", label: `logit of ${ACTIONS[j][1]}`, min: -LIMIT, max: LIMIT, step: 0.1, page: 1,
    parts: [svg("circle", { r: 24, class: "live-touch" }), svg("circle", { r: 9, class: "live-knob" })],
    onmove: (v) => set({ logits: get("logits").map((old, i) => (i === j ? v : old)), steps: 0 }) }));
  const group = `taken-${Math.random().toString(36).slice(2)}`;
  const radios = ALL.map((j) => html("input", { type: "radio", name: group, "data-lm-suppress-shortcuts": "true", onchange: () => pick(j) }));
  const chips = html("fieldset", { class: "live-actions" }, html("legend", { class: "live-hidden" }, "the action that was taken"),
    ...ALL.map((j) => html("label", { class: "live-tool" }, radios[j], html("span", { "aria-hidden": "true" }, ACTIONS[j][0]), ACTIONS[j][1])));
  const advantage = slider(model, "advantage", { label: "advantage A", min: -3, max: 3, step: 0.1 });
  const step = (times) => {
    let logits = get("logits");
    for (let i = 0; i < times; i++) {
      const gradient = surrogateGradient(logits, get("old_logits"), get("action"), get("advantage"));
      logits = logits.map((v, j) => Math.max(-LIMIT, Math.min(LIMIT, v + gradient[j])));
    }
    set({ logits, steps: get("steps") + times });
  };
  const buttons = html("div", { class: "live-buttons" }, button("One gradient step", () => step(1)), button("Ten steps", () => step(10)),
    button("Reset to π_old", () => set({ logits: get("old_logits"), steps: 0 })));
  const legend = legendOf([["live-key-old", "π_old"], ["live-key-advantage", "π_θ: choose the action that was taken"], ["live-key-delta", "gradient of ratio · A"]]);
  const gauge = ratioGauge(), numbers = html("dl", { class: "live-numbers" }), table = html("table", { class: "live-table" }), status = html("p", { class: "live-status", role: "status" });
  el.append(html("div", { class: "live-body live-ppo" }, advantage.node, legend, chances.node, chips, plot.node, buttons, gauge.node, numbers,
    html("div", { class: "live-scroll", tabindex: "0", role: "region", "aria-label": "numbers of the four actions" }, table), status));
  chances.node.setAttribute("role", "img");
  plot.node.setAttribute("role", "group");

  function row(name, values, cls = "") {
    return html("tr", { class: cls }, html("th", { scope: "row" }, name || unseen("move")), ...values.map((v, j) => html("td", j === get("action") ? { class: "live-now" } : {}, v)));
  }
  function draw() {
    const logits = get("logits"), oldLogits = get("old_logits"), action = get("action"), A = get("advantage");
    const before = softmax(oldLogits), now = softmax(logits), ratio = probabilityRatio(logits, oldLogits, action);
    const gradient = surrogateGradient(logits, oldLogits, action, A), plain = policyGradient(logits, action, A);
    columns.forEach(({ fill, outline, mark, arrow, target }, j) => {
      [[fill, now[j]], [outline, before[j]]].forEach(([bar, p]) => { bar.setAttribute("y", chances.py(p)); bar.setAttribute("height", chances.py(0) - chances.py(p)); });
      target.classList.toggle("live-picked", j === action);
      fill.classList.toggle("live-taken", j === action);
      radios[j].checked = j === action;
      mark.setAttribute("d", `M${plot.px(j) - 30} ${plot.py(oldLogits[j]).toFixed(1)}h60`);
      const end = Math.max(-LIMIT, Math.min(LIMIT, logits[j] + gradient[j]));
      arrow.setAttribute("d", arrowPath(plot.px(j) + 22, plot.py(logits[j]), 0, plot.py(end) - plot.py(logits[j])));
      grips[j](logits[j], plot.px(j), plot.py(logits[j]), `${show(logits[j], 2)}, probability ${fine(now[j])}, gradient ${fine(gradient[j])}`);
    });
    gauge.put(ratio);
    numbers.replaceChildren(...facts([["ratio π_θ / π_old", fine(ratio)], ["surrogate ratio · A", fine(ratio * A)]]));
    table.replaceChildren(html("thead", {}, row("", ACTIONS.map(([arrow, name]) => `${arrow} ${name}`))),
      html("tbody", {}, row("π_old", before.map(fine)), row("π_θ", now.map(fine)), row("gradient of ratio · A", gradient.map(fine), "live-strong"), row("policy gradient", plain.map(fine))));
    const words = get("steps") ? `After ${get("steps")} step${get("steps") > 1 ? "s" : ""}: ` : "";
    say(status, `${words}“${ACTIONS[action][1]}” was taken; it is now ${fine(ratio)} times as likely as under π_old.`);
    chances.node.setAttribute("aria-label", `${get("alt")} Probabilities now: ${ACTIONS.map(([, name], j) => `${name} ${fine(now[j])}`).join(", ")}.`);
    plot.node.setAttribute("aria-label", "logits of the four actions");
  }
  draw();
  const off = listen(model, ["logits", "action", "advantage", "steps"], draw);
  return () => { off(); advantage.off(); };
}

/** The ratio on a line from 1/100 to 100, every factor of ten equally long. */
function ratioGauge() {
  const at = (v) => 30 + 120 * (2 + Math.max(-2, Math.min(2, Math.log10(v || 1e-9)))), way = svg("path", { class: "live-reach" }), dot = svg("circle", { r: 7, cy: 16, class: "live-knob" });
  const node = svg("svg", { viewBox: "0 0 540 44", class: "live-plot", "aria-hidden": "true" }, svg("path", { d: "M30 16H510", class: "live-zero" }), way);
  for (const v of [0.01, 0.1, 1, 10, 100]) {
    node.append(svg("path", { d: `M${at(v)} 9v14`, class: "live-zero" }), svg("text", { x: at(v), y: 39, "text-anchor": "middle", class: "live-label" }, String(v)));
  }
  node.append(dot);
  return { node, put(ratio) { dot.setAttribute("cx", at(ratio)); way.setAttribute("d", `M${at(1)} 16H${at(ratio)}`); } };
}
export default { render };
