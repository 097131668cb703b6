// Chapter 8: a sentence in tokens; for the chosen one, what the model expects next.
function render({ model, el }) {
  const get = (name) => model.get(name), set = (changes) => { model.set(changes); model.save_changes(); };
  const sentences = get("sentences"), all = get("vocabulary").toLocaleString("en");
  const choice = html("select", { "data-lm-suppress-shortcuts": "true", onchange: (event) => set({ sentence: +event.target.value, token: 0 }) },
    ...sentences.map(({ pieces }, i) => html("option", { value: i }, pieces.join(""))));
  const temperature = slider(model, "temperature", { label: "temperature τ", min: 0.1, max: 2, step: 0.1 });
  const topK = slider(model, "top_k", { label: "top-k", min: 1, max: KEPT + 1, step: 1, words: (k) => (k > KEPT ? "all" : String(k)) });
  const chips = html("div", { class: "live-text", role: "group", "aria-label": "tokens of the sentence" });
  const bars = candidateBars(), numbers = html("dl", { class: "live-numbers" });
  const status = html("p", { class: "live-status", role: "status", style: "--wide: 2; --narrow: 4" });
  const go = (by) => set({ token: Math.max(0, Math.min(sentences[get("sentence")].pieces.length - 1, get("token") + by)) });
  const buttons = html("div", { class: "live-buttons" }, button("Back", () => go(-1)), button("Step", () => go(1)),
    button("Reset", () => set({ sentence: 0, token: get("start"), temperature: 1, top_k: KEPT + 1 })));
  el.append(html("div", { class: "live-body live-learning live-language" }, html("label", { class: "live-control live-choice" }, html("span", {}, "sentence"), choice),
    buttons, chips, status, bars.node, temperature.node, topK.node, numbers));

  choosing(chips, (t) => set({ token: t }));
  let written = -1;
  function write() { // the chips of another sentence
    written = get("sentence");
    chips.replaceChildren(...sentences[written].pieces.map((piece) => tokenChip(piece)));
  }
  function draw() {
    const { pieces, rows } = sentences[get("sentence")], now = get("token"), tau = get("temperature"), k = get("top_k");
    if (written !== get("sentence")) write();
    choice.value = get("sentence");
    const logprobs = rows.map((row) => nextLogprob(row, tau, k)), row = rows[now];
    [...chips.children].forEach((chip, t) => { chip.children[1].textContent = t ? show(logprobs[t - 1], 2) : "–"; });
    choose([...chips.children], now);
    const real = row.real === null ? null : { id: row.real, piece: pieces[now + 1], p: probability(logprobs[now]) };
    bars.put(row, candidates(row, tau, k), real, k, get("vocabulary"));
    const sum = logprobs.slice(0, now + 1).reduce((total, x) => total + (x ?? 0), 0), n = real ? now + 1 : now;
    numbers.replaceChildren(...[["log-prob of the next token", real ? show(logprobs[now], 3) : "–"], ["sum from the start", n ? show(sum, 3) : "–"],
      ["geometric mean", n ? chance(probability(sum / n)) : "–"]].map(([term, value]) => html("div", {}, html("dt", {}, term), html("dd", {}, value))));
    say(status, sentenceOf(pieces[now], row, real, logprobs[now], k, all));
    bars.node.setAttribute("aria-label", `${get("alt")} Likeliest after “${pieces[now]}”: ${row.pieces.slice(0, 3).map((piece, i) => `“${piece}” ${chance(candidates(row, tau, k)[i])}`).join(", ")}.`);
  }
  draw();
  const off = listen(model, ["sentence", "token", "temperature", "top_k"], draw);
  return () => { off(); temperature.off(); topK.off(); };
}

/** What is shown, in words. */
function sentenceOf(piece, row, real, logprob, k, all) {
  if (!real) return `After “${piece}” nothing is written yet; the likeliest is “${row.pieces[0]}”.`;
  if (logprob === -Infinity) return `After “${piece}” the top ${k} of ${all} tokens leave out “${real.piece}”: it would never be written.`;
  return `After “${piece}” the model gives “${real.piece}” probability ${chance(real.p)}, a log-probability of ${show(logprob, 3)}.`;
}

/** Horizontal bars, the largest as long as there is room; the token that really follows is marked. */
function candidateBars() {
  const node = svg("svg", { viewBox: `0 0 540 ${25 * (KEPT + 2)}`, class: "live-plot", role: "img" });
  const lines = Array.from({ length: KEPT + 2 }, (_, i) => {
    const y = 25 * i, word = svg("text", { x: 165, y: y + 18, "text-anchor": "end", class: "live-label" });
    const bar = svg("rect", { x: 175, y: y + 3, height: 19, rx: 2 }), value = svg("text", { y: y + 18, class: "live-label" });
    node.append(word, bar, value);
    return (words, p, most, cls) => {
      const width = 265 * p / most;
      word.textContent = words;
      bar.setAttribute("width", words ? Math.max(width, 1) : 0);
      bar.setAttribute("class", cls);
      value.textContent = words ? chance(p) : "";
      value.setAttribute("x", 182 + width);
    };
  });
  return { node, put(row, chances, real, topK, vocabulary) {
    const inside = real && row.ids.includes(real.id), shown = real && !inside ? [...chances, real.p] : chances;
    const most = Math.max(...chances), color = (id) => (real && id === real.id ? "live-chance live-real" : "live-chance");
    chances.forEach((p, i) => lines[i](visible(row.pieces[i]), p, most, color(row.ids[i])));
    lines[KEPT](real && !inside ? visible(real.piece) : "", real ? real.p : 0, most, "live-chance live-real");
    lines[KEPT + 1]("all others", restOf(shown, topK, vocabulary), Infinity, "live-rest"); // no bar: it would dwarf the others
  } };
}
export default { render };
