// Chapter 9: the ratios of all tokens of a batch, epoch by epoch; which of them still push, and what whole responses say.
function render({ model, el }) {
  const get = (name) => model.get(name), set = (changes) => { model.set(changes); model.save_changes(); };
  const responses = get("responses"), eps = get("clip_eps"), last = get("ratios").length - 1;
  const epoch = slider(model, "epoch", { label: "epochs so far", min: 0, max: last, step: 1, words: String });
  let playing = false, chosen = [0, 0];
  const play = player(() => {
    set({ epoch: get("epoch") === last ? 0 : get("epoch") + 1 });
    return get("epoch") < last;
  }, 900, (on) => { if (on === playing) return; playing = on; playButton.textContent = on ? "Pause" : "Train"; draw(); });
  const playButton = button("Train", () => play.toggle());
  const go = (by) => { play.stop(); set({ epoch: Math.max(0, Math.min(last, get("epoch") + by)) }); };
  const reset = () => { play.stop(); chosen = [0, 0]; set({ epoch: last }); draw(); };
  const rows = responses.map(({ prompt, pieces, advantages }) => {
    const chips = pieces.map((piece) => tokenChip(piece, "live-colored"));
    const numbers = html("span", { class: "live-of-response" });
    return { chips, numbers, advantages, node: html("div", { class: "live-response" }, html("span", { class: "live-prompt" }, prompt), html("div", { class: "live-text" }, ...chips), numbers) };
  });
  const status = html("p", { class: "live-status", role: "status", style: "--wide: 2; --narrow: 4" }), numbers = html("dl", { class: "live-numbers" });
  const board = html("div", { class: "live-board-scroll", tabindex: "0", role: "region", "aria-label": "ratios of all tokens" }, ...rows.map(({ node }) => node));
  el.append(html("div", { class: "live-body live-wide live-learning live-language" }, epoch.node,
    html("div", { class: "live-buttons" }, playButton, button("Back", () => go(-1)), button("Step", () => go(1)), button("Reset", reset)),
    ratioKey(), board, status, numbers));

  const places = responses.flatMap(({ pieces }, b) => pieces.map((_, t) => [b, t]));
  choosing(board, (i) => { chosen = places[i]; draw(); });
  function draw() {
    const k = get("epoch"), ratios = get("ratios")[k];
    rows.forEach(({ chips, numbers: words, advantages }, b) => {
      chips.forEach((chip, t) => {
        const r = ratios[b][t], still = isClipped(r, advantages[t], eps);
        chip.style.backgroundColor = ratioColor(r);
        chip.classList.toggle("live-clipped", still);
        chip.children[1].textContent = `${advantages[t] > 0 ? "▲" : advantages[t] < 0 ? "▼" : ""}${show(r, 2)}`;
        chip.children[2].textContent = still ? " clipped" : "";
      });
      words.textContent = ofResponse(ratios[b]);
    });
    choose(rows.flatMap(({ chips }) => chips), places.findIndex(([b, t]) => b === chosen[0] && t === chosen[1]));
    const all = facts(ratios, responses.map(({ advantages }) => advantages), eps);
    numbers.replaceChildren(...Object.entries(all).map(([term, value]) => html("div", {}, html("dt", {}, term), html("dd", {}, value))));
    const [b, t] = chosen;
    say(status, tokenWords(responses[b].pieces[t], b, ratios[b][t], responses[b].advantages[t], eps, k), playing);
  }
  draw();
  const off = listen(model, ["epoch"], draw);
  return () => { off(); epoch.off(); play.stop(); };
}

/** Whether the clip has taken the gradient away: the sample has got what it wanted. */
const isClipped = (ratio, advantage, eps) => (advantage > 0 && ratio > 1 + eps) || (advantage < 0 && ratio < 1 - eps);
/** Terracotta below 1, sand at 1, teal above; full colour at a factor of 1.5. */
const ratioColor = (ratio) => valueColor(5 * Math.log(ratio) / Math.log(1.5));
const sumOf = (x) => x.reduce((total, v) => total + v, 0);
/** e to the sum of the log-ratios, and e to their mean. */
const whole = (ratios) => Math.exp(sumOf(ratios.map(Math.log))), perToken = (ratios) => Math.exp(sumOf(ratios.map(Math.log)) / ratios.length);
const ofResponse = (ratios) => `per token ${show(perToken(ratios), 2)}, whole ${show(whole(ratios), 2)}`;

function facts(ratios, advantages, eps) {
  const r = ratios.flat(), a = advantages.flat(), share = (count) => `${show(100 * count / r.length)} %`;
  return { "tokens outside the band": share(r.filter((v) => Math.abs(v - 1) > eps).length), "without gradient": share(r.filter((v, i) => isClipped(v, a[i], eps)).length),
    "largest ratio of a token": show(Math.max(...r), 2), "largest of a whole response": show(Math.max(...ratios.map(whole)), 2) };
}

function tokenWords(piece, b, ratio, advantage, eps, epoch) {
  const push = isClipped(ratio, advantage, eps) ? "clipped, it pushes no further" : advantage > 0 ? "it pushes up" : advantage < 0 ? "it pushes down" : "it does not push";
  return `“${piece}” in row ${b}: ratio ${show(ratio, 3)} after ${epoch} epoch${epoch === 1 ? "" : "s"}, advantage ${show(advantage, 2)}: ${push}.`;
}

/** What colours and marks mean. */
function ratioKey() {
  const stops = [-5, -2.5, 0, 2.5, 5].map(valueColor).join(", ");
  return html("p", { class: "live-ramp" }, "ratio 0.67", html("span", { "aria-hidden": "true", style: `background: linear-gradient(to right, ${stops})` }), "1.5",
    html("small", {}, "▲▼ sign of the advantage; dashed: clipped"));
}
export default { render };
