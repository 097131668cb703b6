// Chapter 1: paint a world, drag the cost of a move, watch values spread sweep by sweep.
const TOOLS = [[".", "free"], ["#", "wall"], ["M", "+5"], ["m", "+4"], ["D", "−1"]];

function render({ model, el }) {
  let tool = "#", world, result, from = null;
  const grid = gridView({ label: model.get("alt"), onpick: paint, onkey: (r, c, key) => {
    if (!TOOLS.some(([symbol]) => symbol === key)) return false;
    paint(r, c, key);
    return true;
  } });
  const status = html("p", { class: "live-status", role: "status" });
  const note = html("p", { class: "live-note" });
  const group = html("fieldset", { class: "live-tools" }, html("legend", {}, "Paint"), ...TOOLS.map(toolChoice));
  const cost = slider(model, "move_cost", { label: "cost of a move", min: 0, max: 2, step: 0.1 });
  const play = player(() => step(1), 600, (on) => { playButton.textContent = on ? "Pause" : "Play"; });
  const playButton = button("Play", () => {
    if (model.get("sweep") < 0 || model.get("sweep") >= result.sweeps) setSweep(0);
    play.toggle();
  });
  const controls = html("div", { class: "live-buttons" },
    button("Start", () => { play.stop(); setSweep(0); }, { title: "before the first sweep" }),
    button("Back", () => { play.stop(); step(-1); }), button("Step", () => { play.stop(); step(1); }), playButton,
    button("End", () => { play.stop(); setSweep(-1); }, { title: "all sweeps" }),
    button("Reset world", () => { play.stop(); set({ text: model.get("initial_text"), move_cost: model.get("initial_cost"), sweep: -1 }); }));
  el.append(html("div", { class: "live-body" }, group, grid.node, cost.node, controls, status, note));

  function toolChoice([symbol, words]) {
    const input = html("input", { type: "radio", name: `tool-${el.dataset.key ??= Math.random()}`, value: symbol,
      "data-lm-suppress-shortcuts": "true", onchange: () => { tool = symbol; } });
    input.checked = symbol === tool;
    const picture = html("span", { class: `live-swatch ${symbol === "#" ? "live-barrier" : ""}` });
    picture.innerHTML = `<svg viewBox="10 0 80 84" aria-hidden="true">${ICONS[symbol] ?? ""}</svg>`;
    return html("label", { class: "live-tool" }, input, picture, html("span", {}, words));
  }
  function set(changes) { model.set(changes); model.save_changes(); }
  function setSweep(k) { set({ sweep: k >= result.sweeps ? -1 : k }); }
  function shown() { const k = model.get("sweep"); return k < 0 ? result.sweeps : Math.min(k, result.sweeps); }
  function step(by) {
    setSweep(Math.max(0, shown() + by));
    return model.get("sweep") >= 0;
  }
  function paint(r, c, symbol = tool) {
    const rows = world.cells.map((row) => [...row]);
    if (rows[r][c] === symbol) return;
    rows[r][c] = symbol;
    set({ text: rows.map((row) => row.join(" ")).join("\n") });
  }
  function compute() {
    world = parseWorld(model.get("text"), model.get("move_cost"), model.get("rewards"));
    result = valueIteration(world, model.get("gamma"));
    draw();
  }
  function look(values, before, policy, settled) {
    return (r, c) => {
      const symbol = world.cells[r][c], s = world.index[r][c];
      if (s < 0) return { picture: "", color: "", name: "barrier", classes: "live-barrier" };
      const value = values[s], reward = world.reward[s], unknown = value === -Infinity;
      const words = unknown ? (settled ? "−∞" : "?") : show(value);
      const row = unknown || reward !== null ? null : policy[s];
      return {
        picture: cellPicture({ symbol, reward, words, policy: row }),
        color: unknown ? "" : valueColor(reward ?? value),
        name: reward !== null ? `${NAMES[symbol] ?? symbol} ${show(reward)}, the walk ends` : `${unknown && !settled ? "not known yet" : `value ${show(value)}`}`,
        classes: `${unknown ? "live-unknown" : ""} ${before && before[s] !== value ? "live-fresh" : ""}`,
      };
    };
  }
  function draw() {
    const k = shown(), values = result.history[k], settled = k === result.sweeps;
    const policy = greedyPolicy(world, values, model.get("gamma"));
    const before = model.get("sweep") >= 0 && k > 0 ? result.history[k - 1] : null;
    grid.draw(world.cells.length, world.cells[0].length, look(values, before, policy, settled));
    const visits = (k + (settled ? 1 : 0)) * world.reward.filter((r) => r === null).length;
    status.textContent = `Sweep ${k} of ${result.sweeps}${settled ? ", settled" : ""} · ${visits} cell visits`;
    note.textContent = remark(values, settled);
  }
  function remark(values, settled) {
    if (!world.reward.some((r) => r !== null)) return "There is no money and no dragon: no walk can end. Paint one.";
    if (model.get("move_cost") === 0 && model.get("gamma") === 1) return "Moves are free: a whole region is worth the same, and its arrows tie.";
    if (settled && values.includes(-Infinity)) return "−∞: from there no walk ever ends, and every move costs.";
    return "Pick a tool and click a cell, or focus the grid and press . # M m D.";
  }
  compute();
  const off = listen(model, ["text", "move_cost"], compute), offSweep = listen(model, ["sweep"], draw);
  return () => { off(); offSweep(); cost.off(); grid.off(); play.stop(); };
}
export default { render };
