// Chapter 2: a softmax policy, a walker that follows it, and what it earns, sees and finds.
const LIMIT = 200; // moves after which a walk is given up

function render({ model, el }) {
  const random = generator(model.get("seed")), tables = model.get("tables");
  let world, known, policy, exact, walk, at, tally, fast = false, playing = false;
  const grid = gridView({ label: model.get("alt"), onpick: (r, c) => {
    if (canStart(world.index[r][c])) set({ start: [r, c] });
  } });
  grid.overlay.innerHTML = `<polyline class="live-path"/><g class="live-walker">${ICONS.walker}</g>`;
  const [path, walker] = grid.overlay.children;
  const numbers = html("dl", { class: "live-numbers" }), status = html("p", { class: "live-status", role: "status" });
  const note = html("p", { class: "live-note" }, `Pick a cell to start there. A walk is given up after ${LIMIT} moves.`);
  grid.describe(note);
  const heat = slider(model, "temperature", { label: "temperature", min: 0, max: 100, step: 1,
    words: (t) => (t === 0 ? "greedy" : show(t, t < 1 ? 2 : 1)),
    from: (t) => (t === 0 ? 0 : Math.max(1, Math.round(1 + 99 * Math.log(t / 0.05) / Math.log(200)))),
    to: (x) => (+x === 0 ? 0 : +(0.05 * 200 ** ((x - 1) / 99)).toPrecision(3)) });
  const play = player(() => { step(); return true; }, () => (fast ? 60 : 320), (on) => { playing = on; playButton.textContent = on ? "Pause" : "Walk"; });
  const playButton = button("Walk", () => play.toggle());
  const speed = button("Fast", () => { fast = !fast; speed.setAttribute("aria-pressed", fast); }, { "aria-pressed": "false", title: "walk faster" });
  const buttons = html("div", { class: "live-buttons" }, playButton, speed, button("Step", () => { play.stop(); step(); }),
    button("100 walks", () => { play.stop(); for (let i = 0; i < 100; i++) finish(); draw(); }),
    button("Forget", () => { play.stop(); restart(); }, { title: "clear the count and what has been seen" }));
  const choice = html("select", { onchange: () => set({ table: Number(choice.value) }), "data-lm-suppress-shortcuts": "true" },
    ...tables.map(({ label }, i) => html("option", { value: i }, label)));
  const knows = html("label", { class: "live-control" }, html("span", {}, "walker knows"), choice);
  el.append(html("div", { class: "live-body" }, ...(tables.length > 1 ? [knows] : []), heat.node, grid.node, buttons, numbers, status, note));

  function canStart(s) { return s >= 0 && world.next[s].some((to) => to >= 0); }
  function set(changes) { model.set(changes); model.save_changes(); }
  function compute() {
    world = parseWorld(model.get("text"), model.get("move_cost"), model.get("rewards"));
    choice.value = model.get("table");
    known = tables[model.get("table")].values.map((v) => v ?? -Infinity);
    const T = model.get("temperature"), gamma = model.get("gamma");
    policy = T === 0 ? greedyPolicy(world, known, gamma) : softmaxPolicy(world, known, T, gamma);
    exact = evaluatePolicy(world, policy, gamma);
    restart();
  }
  function restart() {
    const none = world.states.map(() => 0);
    tally = { walks: 0, sum: 0, best: null, visits: [...none], ends: [...none], last: "Press Walk and follow, or let it walk 100 times." };
    begin();
    draw();
  }
  function begin() {
    const [r, c] = model.get("start");
    walk = walkFrom(world, policy, world.index[r][c], random, LIMIT, model.get("gamma"));
    at = 0;
    tally.visits[walk.path[0]] += 1;
  }
  /** Uncover one more state of the walk; returns false when that was its last. */
  function advance() {
    tally.visits[walk.path[++at]] += 1;
    if (at < walk.path.length - 1) return true;
    tally.walks += 1;
    tally.sum += walk.total;
    if (walk.prize !== null) {
      tally.best = Math.max(tally.best ?? -Infinity, walk.prize);
      tally.ends[walk.path[at]] += 1;
    }
    const end = walk.prize === null ? "given up" : `ended at ${prize(walk.prize)}`;
    tally.last = `Walk ${tally.walks}: ${end} after ${at} move${at === 1 ? "" : "s"}, ${show(walk.total, 2)} points.`;
    return false;
  }
  function over() { return at === walk.path.length - 1; }
  function step() { if (over()) begin(); else advance(); draw(); }
  function finish() { if (over()) begin(); while (advance()); }
  /** A dot for a cell that has been seen, larger the more often; a badge with the number of walks that ended there. */
  function marks(s) {
    if (!tally.visits[s]) return "";
    if (world.reward[s] === null) return `<circle cx="50" cy="50" r="${Math.min(14, 4 + 1.5 * Math.log2(1 + tally.visits[s])).toFixed(1)}" class="live-seen"/>`;
    const words = String(tally.ends[s]), width = 14 + 11 * words.length;
    return `<rect x="${96 - width}" y="4" width="${width}" height="25" rx="12.5" class="live-badge"/><text x="${96 - width / 2}" y="23" class="live-count">${words}</text>`;
  }
  function draw() {
    const [r0, c0] = model.get("start"), s0 = world.index[r0][c0];
    grid.draw(world.cells.length, world.cells[0].length, (r, c) => {
      const symbol = world.cells[r][c], s = world.index[r][c];
      if (s < 0) return { picture: "", color: "", name: "barrier", classes: "live-barrier", off: true };
      const reward = world.reward[s], unknown = known[s] === -Infinity;
      return {
        picture: cellPicture({ symbol, reward, policy: reward === null ? policy[s] : null, extra: marks(s) }),
        color: unknown ? "" : valueColor(known[s]),
        name: [reward === null ? "free" : `${NAMES[symbol] ?? symbol} ${prize(reward)}`, s === s0 && "start", s === walk.path[at] && "the walker is here",
          tally.ends[s] ? `walks that ended here: ${tally.ends[s]}` : tally.visits[s] ? "seen" : "not seen"].filter(Boolean).join(", "),
        classes: `${s === s0 ? "live-start" : ""} ${unknown ? "live-unknown" : ""}`,
        off: !canStart(s),
      };
    });
    const centres = walk.path.slice(0, at + 1).map((s) => world.states[s].map((x) => 100 * x + 50));
    path.setAttribute("points", centres.map(([y, x]) => `${x},${y}`).join(" "));
    const [y, x] = centres.at(-1), aside = world.reward[walk.path[at]] === null ? 0 : 30; // not in front of the prize
    walker.classList.toggle("live-jump", at === 0 || fast); // it glides from cell to cell, but not back to the start
    walker.style.transform = `translate(${x - 50 - aside}px, ${y - 50}px)`;
    const mean = tally.walks ? show(tally.sum / tally.walks, 2) : "–";
    numbers.replaceChildren(...[["expected points", show(exact[s0], 2)], [`mean of ${tally.walks} walk${tally.walks === 1 ? "" : "s"}`, mean],
      ["cells seen", `${tally.visits.filter(Boolean).length} of ${world.states.length}`], ["best prize found", tally.best === null ? "–" : prize(tally.best)]]
      .map(([term, value]) => html("div", {}, html("dt", {}, term), html("dd", {}, value))));
    say(status, tally.last, playing);
  }
  compute();
  const off = listen(model, ["text", "move_cost", "temperature", "table"], compute), offStart = listen(model, ["start"], restart);
  return () => { off(); offStart(); heat.off(); grid.off(); play.stop(); };
}
export default { render };
