// Chapter 2: a softmax policy, a walker that follows it, and what it earns, sees and finds.
const LIMIT = 200; // moves after which a walk is given up

function render({ model, el }) {
  const random = generator(model.get("seed"));
  let world, policy, exact, walk, tally;
  const grid = gridView({ label: model.get("alt"), onpick: (r, c) => {
    const s = world.index[r][c];
    if (canStart(s)) set({ start: [r, c] });
  } });
  const numbers = html("dl", { class: "live-numbers" }), status = html("p", { class: "live-status", role: "status" });
  const note = html("p", { class: "live-note" }, `Click a cell to start there. A walk is given up after ${LIMIT} moves.`);
  const heat = slider(model, "temperature", { label: "temperature", min: 0, max: 100, step: 1,
    words: (t) => (t === 0 ? "greedy" : show(t, t < 1 ? 2 : 1)),
    from: (t) => (t === 0 ? 0 : Math.max(1, Math.round(1 + 99 * Math.log(t / 0.05) / Math.log(200)))),
    to: (x) => (+x === 0 ? 0 : +(0.05 * 200 ** ((x - 1) / 99)).toPrecision(3)) });
  const play = player(() => { step(); return true; }, 250, (on) => { playButton.textContent = on ? "Pause" : "Walk"; });
  const playButton = button("Walk", () => play.toggle());
  const controls = html("div", { class: "live-buttons" }, playButton, button("Step", () => { play.stop(); step(); }),
    button("100 walks", () => { play.stop(); for (let i = 0; i < 100; i++) finish(); draw(); }),
    button("Forget", () => { play.stop(); restart(); }, { title: "clear the count and what has been seen" }));
  el.append(html("div", { class: "live-body" }, ...tableChoice(), heat.node, grid.node, controls, numbers, status, note));

  function canStart(s) { return s >= 0 && world.next[s].some((to) => to >= 0); }
  function set(changes) { model.set(changes); model.save_changes(); }
  function tableChoice() {
    const tables = model.get("tables");
    if (tables.length < 2) return [];
    const choice = html("select", { onchange: () => set({ table: Number(choice.value) }), "data-lm-suppress-shortcuts": "true" },
      ...tables.map(({ label }, i) => html("option", { value: i }, label)));
    choice.value = model.get("table");
    return [html("label", { class: "live-control" }, html("span", {}, "the walker knows"), choice)];
  }
  function compute() {
    world = parseWorld(model.get("text"), model.get("move_cost"), model.get("rewards"));
    const values = model.get("tables")[model.get("table")].values.map((v) => v ?? -Infinity);
    const T = model.get("temperature"), gamma = model.get("gamma");
    policy = T === 0 ? greedyPolicy(world, values, gamma) : softmaxPolicy(world, values, T, gamma);
    exact = evaluatePolicy(world, policy, gamma);
    restart();
  }
  function restart() {
    tally = { walks: 0, sum: 0, best: -Infinity, seen: new Set(), last: "" };
    begin();
    draw();
  }
  function begin() {
    const [r, c] = model.get("start");
    walk = { at: world.index[r][c], moves: 0, sum: 0, trail: [], over: false };
    tally.seen.add(walk.at);
  }
  /** One move; returns false when the walk is over. */
  function advance() {
    walk.trail.push(walk.at);
    const to = world.next[walk.at][drawMove(policy[walk.at], random)];
    walk.sum += model.get("gamma") ** walk.moves * ((world.reward[to] ?? 0) - world.moveCost);
    walk.at = to;
    walk.moves += 1;
    tally.seen.add(to);
    if (world.reward[to] === null && walk.moves < LIMIT) return true;
    const prize = world.reward[to];
    if (prize !== null) tally.best = Math.max(tally.best, prize);
    tally.walks += 1;
    tally.sum += walk.sum;
    tally.last = `Walk ${tally.walks}: ${prize === null ? "given up" : `ended at ${prize > 0 ? "+" : ""}${show(prize)}`} after ${walk.moves} moves, ${show(walk.sum, 2)} points.`;
    walk.over = true;
    return false;
  }
  function step() {
    if (walk.over) begin(); else advance();
    draw();
  }
  function finish() { if (walk.over) begin(); while (advance()); }
  function draw() {
    const steps = new Set(walk.trail), [r0, c0] = model.get("start");
    grid.draw(world.cells.length, world.cells[0].length, (r, c) => {
      const symbol = world.cells[r][c], s = world.index[r][c];
      if (s < 0) return { picture: "", color: "", name: "barrier", classes: "live-barrier", off: true };
      const reward = world.reward[s], here = s === walk.at, start = r === r0 && c === c0;
      const extra = (here ? `<g class="live-walker">${ICONS.walker}</g>` : tally.seen.has(s) ? '<circle cx="50" cy="50" r="5" class="live-seen"/>' : "");
      return {
        picture: cellPicture({ symbol, reward, policy: reward === null ? policy[s] : null, extra }),
        color: valueColor(reward ?? 0),
        name: [reward === null ? "free" : `${NAMES[symbol] ?? symbol} ${show(reward)}`, start && "start", here && "the walker is here", tally.seen.has(s) ? "seen" : "not seen"].filter(Boolean).join(", "),
        classes: `${start ? "live-start" : ""} ${steps.has(s) ? "live-trail" : ""}`,
        off: !canStart(s),
      };
    });
    const s0 = world.index[r0][c0], mean = tally.walks ? show(tally.sum / tally.walks, 2) : "–";
    numbers.replaceChildren(...[["expected points", show(exact[s0], 2)], [`mean of ${tally.walks} walks`, mean],
      ["cells seen", `${tally.seen.size} of ${world.states.length}`], ["best prize found", tally.best === -Infinity ? "–" : show(tally.best)]]
      .map(([term, value]) => html("div", {}, html("dt", {}, term), html("dd", {}, value))));
    status.textContent = tally.last;
  }
  compute();
  const off = listen(model, ["text", "move_cost", "temperature", "table"], compute), offStart = listen(model, ["start"], restart);
  return () => { off(); offStart(); heat.off(); grid.off(); play.stop(); };
}
export default { render };
