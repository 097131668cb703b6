// Chapter 3: what a value network predicts after training on a fraction of the cells, beside what is true.
function render({ model, el }) {
  const world = parseWorld(model.get("text"), 0, model.get("rewards")), truth = model.get("truth");
  const fractions = model.get("fractions"), steps = model.get("steps");
  let chosen = 0;
  const pick = (r, c) => { if (world.index[r][c] >= 0) { chosen = world.index[r][c]; draw(); } };
  const maps = ["predicted", "true"].map((name) => gridView({ label: `${name} values`, onpick: pick }));
  const fraction = slider(model, "fraction", { label: "cells visited", min: 0, max: fractions.length - 1, step: 1, words: (i) => `${show(100 * fractions[i], 0)} %` });
  const frame = slider(model, "frame", { label: "training step", min: 0, max: steps.length - 1, step: 1, words: (i) => String(steps[i]) });
  const play = player(() => {
    const k = model.get("frame") + 1;
    if (k < steps.length) set({ frame: k });
    return k + 1 < steps.length;
  }, 350, (on) => { playButton.textContent = on ? "Pause" : "Train"; });
  const playButton = button("Train", () => { if (model.get("frame") === steps.length - 1) set({ frame: 0 }); play.toggle(); });
  const numbers = html("dl", { class: "live-numbers" }), status = html("p", { class: "live-status", role: "status" });
  const figure = (name, map) => html("div", { class: "live-map" }, html("p", { class: "live-caption" }, name), map.node);
  el.append(html("div", { class: "live-body live-wide" }, fraction.node, frame.node, html("div", { class: "live-buttons" }, playButton),
    html("div", { class: "live-pair" }, figure("predicted; dots are the visited cells", maps[0]), figure("true", maps[1])), numbers, status));

  function set(changes) { model.set(changes); model.save_changes(); }
  function rms(predicted, cells) {
    return cells.length ? Math.sqrt(cells.reduce((sum, s) => sum + (predicted[s] - truth[s]) ** 2, 0) / cells.length) : NaN;
  }
  function draw() {
    const f = model.get("fraction"), predicted = model.get("frames")[f][model.get("frame")];
    const seen = new Set(model.get("visited")[f]);
    maps.forEach((map, i) => map.draw(world.cells.length, world.cells[0].length, (r, c) => {
      const s = world.index[r][c];
      if (s < 0) return { picture: "", color: "", name: "barrier", classes: "live-barrier", off: true };
      const value = (i ? truth : predicted)[s];
      const dot = !i && seen.has(s) ? '<circle cx="50" cy="50" r="13" class="live-dot"/>' : "";
      return { picture: `<svg viewBox="0 0 100 100" aria-hidden="true">${dot}</svg>`, color: valueColor(value / model.get("scale")),
        name: `${show(value)}${seen.has(s) ? ", visited" : ""}`, classes: s === chosen ? "live-chosen" : "" };
    }));
    const all = truth.map((_, s) => s), error = (cells) => { const e = rms(predicted, cells); return Number.isNaN(e) ? "–" : show(e, 2); };
    numbers.replaceChildren(...[["error on visited cells", error(all.filter((s) => seen.has(s)))], ["error on unseen cells", error(all.filter((s) => !seen.has(s)))]]
      .map(([term, value]) => html("div", {}, html("dt", {}, term), html("dd", {}, value))));
    const [r, c] = world.states[chosen];
    status.textContent = `Row ${r}, column ${c}: predicted ${show(predicted[chosen])}, true ${show(truth[chosen])}.`;
  }
  draw();
  const off = listen(model, ["fraction", "frame"], draw);
  return () => { off(); fraction.off(); frame.off(); play.stop(); maps.forEach((map) => map.off()); };
}
export default { render };
