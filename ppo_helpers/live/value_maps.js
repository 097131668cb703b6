// Chapter 3: what a value network predicts after training on a fraction of the cells, beside what is true.
function render({ model, el }) {
  const world = parseWorld(model.get("text"), 0, model.get("rewards")), truth = model.get("truth"), scale = model.get("scale");
  const fractions = model.get("fractions"), steps = model.get("steps"), last = steps.length - 1, all = truth.map((_, s) => s);
  const seen = model.get("visited").map((states) => new Set(states));
  // the errors of all predictions, once: [fraction][visited or unseen][frame]
  const errors = fractions.map((_, f) => [true, false].map((which) => model.get("frames")[f].map((predicted) =>
    rootMeanSquare(all.filter((s) => seen[f].has(s) === which).map((s) => predicted[s] - truth[s])))));
  let chosen = 0;
  const pick = (r, c) => { const s = world.index[r][c]; if (s >= 0 && s !== chosen) { chosen = s; draw(); } };
  const maps = ["predicted", "true"].map((name) => gridView({ label: `${name} values`, onpick: pick }));
  for (const map of maps) map.node.addEventListener("focusin", (event) => pick(...event.target.dataset.at.split(",").map(Number)));
  const fraction = slider(model, "fraction", { label: "cells visited", min: 0, max: fractions.length - 1, step: 1, words: (i) => `${show(100 * fractions[i], 0)} %` });
  const frame = slider(model, "frame", { label: "training step", min: 0, max: last, step: 1, words: (i) => String(steps[i]) });
  let playing = false;
  const play = player(() => {
    set({ frame: model.get("frame") === last ? 0 : model.get("frame") + 1 });
    return model.get("frame") < last;
  }, 450, (on) => { if (on === playing) return; playing = on; playButton.textContent = on ? "Pause" : "Train"; draw(); });
  const playButton = button("Train", () => play.toggle());
  const reset = button("Reset", () => { play.stop(); chosen = 0; set({ fraction: 0, frame: last }); draw(); });
  const numbers = html("dl", { class: "live-numbers" }), status = html("p", { class: "live-status", role: "status", style: "--wide: 1; --narrow: 2" });
  const figure = (name, map) => html("div", { class: "live-map" }, html("p", { class: "live-caption" }, name), map.node);
  const curves = errorPlot(errors, steps, (k) => { play.stop(); set({ frame: k }); });
  el.append(html("div", { class: "live-body live-wide live-learning" }, fraction.node, frame.node, html("div", { class: "live-buttons" }, playButton, reset),
    html("div", { class: "live-pair" }, figure("predicted; dots are the visited cells", maps[0]), figure("true", maps[1])), colourKey(scale), status,
    numbers, curves.node));

  function set(changes) { model.set(changes); model.save_changes(); }
  function draw() {
    const f = model.get("fraction"), k = model.get("frame"), predicted = model.get("frames")[f][k];
    maps.forEach((map, i) => map.draw(world.cells.length, world.cells[0].length, (r, c) => {
      const s = world.index[r][c];
      if (s < 0) return { picture: "", color: "", name: "barrier", classes: "live-barrier", off: true };
      const value = (i ? truth : predicted)[s];
      const dot = !i && seen[f].has(s) ? '<circle cx="50" cy="50" r="13" class="live-dot"/>' : "";
      return { picture: `<svg viewBox="0 0 100 100" aria-hidden="true">${dot}</svg>`, color: valueColor(value / scale),
        name: `${show(value)}${seen[f].has(s) ? ", visited" : ""}`, classes: s === chosen ? "live-chosen" : "" };
    }));
    const words = errors[f].map((of) => (Number.isNaN(of[k]) ? "–" : show(of[k], 2))), names = ["error on visited cells", "error on unseen cells"];
    numbers.replaceChildren(...names.map((term, i) => html("div", {}, html("dt", {}, html("span", { class: `live-key live-key-error-${i}` }), ` ${term}`), html("dd", {}, words[i]))));
    curves.put(f, k, `step ${steps[k]}: ${names.map((name, i) => `${name} ${words[i]}`).join(", ")}`);
    const [r, c] = world.states[chosen];
    say(status, `Row ${r}, column ${c}${seen[f].has(chosen) ? ", visited" : ""}: predicted ${show(predicted[chosen])}, true ${show(truth[chosen])}.`, playing);
  }
  draw();
  const off = listen(model, ["fraction", "frame"], draw);
  return () => { off(); fraction.off(); frame.off(); play.stop(); maps.forEach((map) => map.off()); };
}

/** The root of the mean square; not a number if there is nothing to average. */
const rootMeanSquare = (x) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length);

/** Both errors against training, with a handle that is dragged through the kept predictions; they are drawn evenly spaced. */
function errorPlot(errors, steps, onmove) {
  const last = steps.length - 1, top = errorTop(errors), every = Math.ceil(steps.length / 6);
  const marks = steps.map((_, k) => k).filter((k) => (last - k) % every === 0);
  const plot = axes({ x: [0, Math.max(last, 1)], y: [0, 1.1 * top], xticks: [], yticks: [0, top / 2, top], xlabel: "training step, as kept", ylabel: "error (root mean square)", height: 190 });
  for (const k of marks) plot.node.append(plot.text([plot.px(k), 167], String(steps[k])));
  const lines = ["live-error-0", "live-error-1"].map((cls) => plot.line(cls)), cut = [plot.py(1.1 * top), plot.py(0)];
  const ends = [0, 1].map((i) => svg("circle", { r: 5, class: `live-end-${i}` }));
  const move = grip(plot, { along: "x", label: "training step on the curves", min: 0, max: last, step: 1, page: 2, onmove, parts: [
    svg("rect", { x: -35, y: cut[0], width: 70, height: cut[1] - cut[0], class: "live-touch" }),
    svg("path", { d: `M0 ${cut[0]}V${cut[1]}`, class: "live-cut" }), svg("circle", { cy: cut[0], r: 9, class: "live-knob" }), ...ends] });
  plot.node.setAttribute("role", "group");
  plot.node.setAttribute("aria-label", "errors during training");
  return { node: plot.node, put(f, k, words) {
    lines.forEach((line, i) => line(errors[f][i].map((e, j) => [j, Math.min(e, top)]).filter(([, e]) => !Number.isNaN(e))));
    ends.forEach((end, i) => {
      end.setAttribute("visibility", Number.isNaN(errors[f][i][k]) ? "hidden" : "visible");
      end.setAttribute("cy", plot.py(errors[f][i][k] || 0));
    });
    move(k, plot.px(k), 0, words);
  } };
}

/** The upper end of the error's axis: a round number whose half is one as well. */
function errorTop(errors) {
  const most = Math.max(1e-6, ...errors.flat(2).filter((e) => !Number.isNaN(e))), unit = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 3, 4, 6, 8, 10].find((m) => m * unit >= most) * unit;
}

/** What the colours of the maps mean. */
function colourKey(scale) {
  const stops = [-5, -2.5, 0, 2.5, 5];
  return html("p", { class: "live-ramp" }, `value ${show(-5 * scale)}`,
    html("span", { "aria-hidden": "true", style: `background: linear-gradient(to right, ${stops.map(valueColor).join(", ")})` }), show(5 * scale));
}
export default { render };
