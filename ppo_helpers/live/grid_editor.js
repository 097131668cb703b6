// Chapter 1: paint a world, drag the cost of a move, watch values spread sweep by sweep.
const RESET = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 8.5A7.5 7.5 0 1 1 4.5 13M6 3v5.5h5.5"/></svg>';

function render({ model, el }) {
  const rewards = model.get("rewards"), tools = [".", "#", ...Object.keys(rewards)];
  let tool = "#", stroke = tool, playing = false, stepped = false, world, result;
  const grid = gridView({ label: model.get("alt"), onpick: (r, c, dragged) => {
    if (!dragged) stroke = world.cells[r][c] === tool ? "." : tool; // what is there already is taken away
    paint(r, c, stroke);
  }, onkey: (r, c, key) => tools.includes(key) && (paint(r, c, key), true) });
  const status = html("p", { class: "live-status", role: "status" }), note = html("p", { class: "live-note" });
  grid.describe(note);
  const group = html("fieldset", { class: "live-tools" }, html("legend", {}, "Paint"), ...tools.map(toolChoice));
  const reset = button("Reset", () => {
    play.stop();
    set({ text: model.get("initial_text"), move_cost: model.get("initial_cost"), sweep: -1 });
  }, { title: "bring back the first world", class: "live-button live-reset" });
  reset.insertAdjacentHTML("afterbegin", RESET);
  const cost = slider(model, "move_cost", { label: "cost of a move", min: 0, max: Math.max(2, model.get("initial_cost")), step: 0.1, words: (v) => show(v, 2) });
  const sweep = slider(model, "sweep", { label: "sweep", min: 0, max: () => result.sweeps, step: 1,
    from: shown, to: (k) => (+k < result.sweeps ? +k : -1), words: () => `${shown()} of ${result.sweeps}` });
  const play = player(() => step(1), 700, (on) => { playing = on; playButton.textContent = on ? "Pause" : "Play"; draw(); });
  const playButton = button("Play", () => {
    if (shown() === result.sweeps) set({ sweep: 0 });
    play.toggle();
  });
  const go = (words, title, act) => button(words, () => { play.stop(); act(); }, { title });
  const buttons = html("div", { class: "live-buttons" }, go("Start", "before the first sweep", () => set({ sweep: result.sweeps ? 0 : -1 })),
    go("Back", "one sweep back", () => step(-1)), go("Step", "one sweep", () => step(1)), playButton, go("End", "all sweeps", () => set({ sweep: -1 })));
  el.append(html("div", { class: "live-body" }, html("div", { class: "live-palette" }, group, reset), grid.node, cost.node, sweep.node, buttons, status, note));

  function toolChoice(symbol) {
    const words = { ".": "free", "#": "wall" }[symbol] ?? prize(rewards[symbol]);
    const input = html("input", { type: "radio", name: `tool-${el.dataset.key ??= Math.random()}`, value: symbol,
      "data-lm-suppress-shortcuts": "true", onchange: () => { tool = symbol; } });
    input.checked = symbol === tool;
    const picture = html("span", { class: `live-swatch ${symbol === "#" ? "live-barrier" : ""}` });
    picture.innerHTML = `<svg viewBox="10 0 80 88" aria-hidden="true">${ICONS[symbol] ?? ""}</svg>`;
    return html("label", { class: "live-tool" }, input, picture, html("span", {}, words), symbol in rewards ? unseen(`, ${NAMES[symbol] ?? symbol}`) : "");
  }
  function set(changes) { model.set(changes); model.save_changes(); }
  function shown() { const k = model.get("sweep"); return k < 0 ? result.sweeps : Math.min(k, result.sweeps); }
  function step(by) {
    const k = Math.max(0, shown() + by);
    stepped = by > 0;
    set({ sweep: k >= result.sweeps ? -1 : k });
    return model.get("sweep") >= 0;
  }
  function paint(r, c, symbol) {
    if (world.cells[r][c] === symbol) return;
    const rows = world.cells.map((row) => [...row]);
    rows[r][c] = symbol;
    set({ text: rows.map((row) => row.join(" ")).join("\n") });
  }
  function compute() {
    world = parseWorld(model.get("text"), model.get("move_cost"), rewards);
    result = valueIteration(world, model.get("gamma"));
    stepped = false;
    sweep.update();
    draw();
  }
  function draw() {
    const k = shown(), values = result.history[k], settled = k === result.sweeps;
    const policy = greedyPolicy(world, values, model.get("gamma"));
    const before = k > 0 && (stepped || !settled) ? result.history[k - 1] : null;
    grid.draw(world.cells.length, world.cells[0].length, (r, c) => {
      const symbol = world.cells[r][c], s = world.index[r][c], reward = world.reward[s] ?? null, value = values[s];
      if (s < 0) return { picture: "", color: "", name: "barrier", classes: "live-barrier" };
      const lost = value === -Infinity, words = lost ? (settled ? "−∞" : "?") : show(value);
      return {
        picture: cellPicture({ symbol, reward, words, policy: lost || reward !== null ? null : policy[s] }),
        color: lost ? "" : valueColor(reward ?? value),
        name: reward !== null ? `${NAMES[symbol] ?? symbol} ${prize(reward)}, the walk ends`
          : `${NAMES[symbol]}, ${lost && !settled ? "not known yet" : `value ${words}`}`,
        classes: `${lost ? "live-unknown" : ""} ${before && before[s] !== value ? "live-fresh" : ""}`,
      };
    });
    say(status, summary(k, values, settled), playing && !settled);
    note.textContent = remark(k, values, settled);
  }
  function summary(k, values, settled) {
    if (!world.reward.some((r) => r !== null)) return "No walk can end in this world.";
    if (settled) return `Settled after ${k} sweep${k === 1 ? "" : "s"} and one to notice: ${result.cellVisits} cell visits.`;
    const visits = (k * result.cellVisits) / (result.sweeps + 1), unknown = values.filter((v) => v === -Infinity).length;
    return `Sweep ${k} of ${result.sweeps}: ${visits} cell visits${unknown ? `, ${unknown} cell${unknown === 1 ? "" : "s"} unknown` : ""}.`;
  }
  function remark(k, values, settled) {
    if (!world.reward.some((r) => r !== null)) return "There is no money and no dragon. Paint one.";
    if (model.get("move_cost") === 0 && model.get("gamma") === 1) return "Moves are free: all cells that can reach the same prizes are worth the same, and their arrows tie.";
    if (settled && values.includes(-Infinity)) return "−∞: from there no walk ever ends, and every move costs.";
    if (!settled) return k ? "The ringed cells changed in this sweep." : "Before the first sweep only the ends of a walk are known.";
    return `Click or drag to paint. By keyboard: arrow keys, Space, or ${tools.join(" ")}`;
  }
  compute();
  const off = listen(model, ["text", "move_cost"], compute), offSweep = listen(model, ["sweep"], draw);
  return () => { off(); offSweep(); cost.off(); sweep.off(); grid.off(); play.stop(); };
}
export default { render };
