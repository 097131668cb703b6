// Chapter 7: one or two trainings, frame by frame: the policy and the values on the grid, the ratios, and the curves.
const MOVE_NAMES = ["up", "right", "down", "left"];

function render({ model, el }) {
  const get = (name) => model.get(name), set = (changes) => { model.set(changes); model.save_changes(); };
  const world = parseWorld(get("text"), 0, get("rewards")), runs = get("runs"), iterations = get("iterations"), names = Object.keys(runs[0].curves);
  const last = iterations.length - 1;
  let chosen = world.next.findIndex((row) => row.some((s) => s >= 0));
  const pick = (r, c) => { if (world.index[r][c] >= 0) { chosen = world.index[r][c]; draw(); } };
  const frame = slider(model, "frame", { label: "iteration", min: 0, max: last, step: 1, words: (k) => String(iterations[k]) });
  const playButton = button("Train", () => { if (!playing && get("frame") === last) set({ frame: 0 }); play.toggle(); });
  let playing = false;
  const play = player(() => {
    const k = get("frame") + 1;
    if (k <= last) set({ frame: k });
    return k < last;
  }, () => Math.max(120, Math.min(400, 12000 / iterations.length)), (on) => { playing = on; playButton.textContent = on ? "Pause" : "Train"; draw(); });
  const views = runs.map((run, i) => {
    const grid = gridView({ label: `policy and values ${run.name}`, onpick: pick }), bars = ratioBars(get("edges"), get("clip_eps"), `live-run-${i}`);
    return { grid, bars, node: html("div", {}, html("p", { class: "live-caption" }, html("span", { class: `live-key live-key-run-${i}` }), ` ${run.name}`), grid.node, bars.node) };
  });
  const curve = html("select", { "data-lm-suppress-shortcuts": "true", onchange: (event) => set({ curve: event.target.value }) }, ...names.map((name) => html("option", { value: name }, name.replaceAll("_", " "))));
  const holder = html("div"), status = html("p", { class: "live-status", role: "status" }), numbers = html("dl", { class: "live-numbers" });
  el.append(html("div", { class: "live-body live-wide live-ppo" }, frame.node, html("div", { class: "live-buttons" }, playButton, button("Back", () => go(-1)), button("Step", () => go(1))),
    html("div", { class: "live-pair" }, ...views.map(({ node }) => node)), status,
    html("label", { class: "live-control" }, html("span", {}, "curve"), curve), holder, numbers));

  function go(by) { set({ frame: Math.max(0, Math.min(last, get("frame") + by)) }); }
  let chart = null;
  function build() {
    chart = curvePlot(runs.map((run) => run.curves[get("curve")]), get("curve").replaceAll("_", " "), (at) => {
      const near = iterations.map((n) => Math.abs(n - at));
      set({ frame: near.indexOf(Math.min(...near)) });
    });
    holder.replaceChildren(chart.node);
    curve.value = get("curve");
  }
  function draw() {
    const k = get("frame"), iteration = iterations[k], chances = (run, s) => run.policy[k][s].map((p) => p / 100);
    views.forEach(({ grid, bars }, i) => {
      const run = runs[i];
      grid.draw(world.cells.length, world.cells[0].length, (r, c) => {
        const s = world.index[r][c], symbol = world.cells[r][c];
        if (s < 0) return { picture: "", color: "", name: "barrier", classes: "live-barrier", off: true };
        const reward = world.reward[s], value = reward ?? run.values[k][s], policy = reward === null ? chances(run, s) : null;
        const best = policy && MOVE_NAMES[policy.indexOf(Math.max(...policy))];
        return { picture: cellPicture({ symbol, reward, words: show(value), policy }), color: valueColor(value / get("scale")), classes: s === chosen ? "live-chosen" : "",
          name: reward !== null ? `${NAMES[symbol] ?? symbol} ${prize(reward)}` : `value ${show(value)}, ${best} ${show(100 * Math.max(...policy), 0)} %` };
      });
      bars.put(run.ratios[k]);
    });
    chart.put(iteration);
    const at = (run) => (iteration ? fine(run.curves[get("curve")][iteration - 1]) : "–");
    numbers.replaceChildren(...facts(runs.map((run) => [`${get("curve").replaceAll("_", " ")} ${run.name}`, at(run)])));
    const [r, c] = world.states[chosen], words = (run) => `${run.name} value ${show(run.values[k][chosen])}, ${chances(run, chosen).map((p, a) => `${MOVE_NAMES[a]} ${show(100 * p, 0)} %`).join(", ")}`;
    const ends = world.reward[chosen] !== null;
    say(status, `Iteration ${iteration}, row ${r}, column ${c}: ${ends ? `the walk ends here with ${prize(world.reward[chosen])}` : runs.map(words).join("; ")}.`, playing);
  }
  build();
  draw();
  const offs = [listen(model, ["frame"], draw), listen(model, ["curve"], () => { build(); draw(); })];
  return () => { offs.forEach((off) => off()); frame.off(); play.stop(); views.forEach(({ grid }) => grid.off()); };
}
export default { render };
