// The ratio board's picture: a response with its tokens coloured by their ratios, and its two ratios as a whole.
import { valueColor } from "../parts/colors.js";
import { html, show, unseen } from "../parts/dom.js";
import { ten, times, tokenChip } from "../parts/tokens.js";
import { isClipped, logRatios } from "../twins/ratios.js";

/** A number with its sign. */
export const signed = (value) => (value > 0 ? "+" : "") + show(value, 2);

/** Terracotta below 1, sand at 1, teal above; full colour at a factor of 1.5. */
export const ratioColor = (ratio) => valueColor((5 * Math.log(ratio)) / Math.log(1.5));

/** One response: its prompt, its tokens, and at the right what its ratios come to. */
export function responseLine({ row, prompt, pieces, advantages }, axis) {
  const chips = pieces.map((piece) => tokenChip(piece, "live-heat", unseen("")));
  const drift = axis.line();
  const written = html(
    "p",
    { class: "live-response-text" },
    html("span", { class: "live-response-prompt" }, prompt),
    ...chips,
  );
  const head = html("div", { class: "live-of-response" }, html("span", {}, `row ${row}`), gain(advantages));
  const node = html("div", { class: "live-response", role: "group", "aria-label": `row ${row}` }, written);
  node.append(html("div", { class: "live-response-whole" }, head, drift.node));
  function put(ratios, eps) {
    chips.forEach((chip, t) => {
      const still = isClipped(ratios[t], advantages[t], eps);
      chip.style.backgroundColor = ratioColor(ratios[t]);
      chip.classList.toggle("live-heat-clipped", still);
      chip.lastElementChild.textContent = `, ratio ${times(ratios[t])}${still ? ", clipped" : ""}`;
    });
    drift.put(logRatios(ratios));
  }
  return { node, chips, put };
}

function gain(advantages) {
  const mean = advantages.reduce((sum, v) => sum + v, 0) / advantages.length;
  const alike = advantages.every((v) => v === advantages[0]);
  return html("b", { class: "live-response-gain" }, `${alike ? "A" : "mean A"} = ${signed(mean)}`);
}

/** A logarithmic axis, the same for all responses and epochs, with 1 in its middle and the band around it. */
export function driftAxis(state) {
  const all = state.get("ratios").flat().map(logRatios);
  const eps = state.get("clip_eps");
  const most = Math.max(Math.LN2, ...all.map(({ whole }) => Math.abs(whole)));
  const at = (log) => `${(50 + (46 * log) / most).toFixed(2)}%`;
  const ticks = logTicks(most).map(([log, words]) => html("span", { style: `left: ${at(log)}` }, words));
  const key = html("p", { class: "live-drift-key" }, "ratio: ", dot("each"), " mean, ", dot("whole"), " product");
  const node = html("div", { class: "live-drift-head" }, key, html("div", { class: "live-drift-ticks" }, ...ticks));
  return { node, line: () => driftLine(at, eps) };
}

const dot = (kind) => html("span", { class: `live-drift-dot live-drift-dot-${kind}` });

/** At most five ticks: powers of 2, 4, 10 or more, pairs of a logarithm and what is written. */
function logTicks(most) {
  const base = [2, 4, 10].find((b) => b ** 3 > Math.exp(most));
  const power = Math.ceil(most / Math.LN10 / 3); // of ten, where none of these will do
  const step = base ? Math.log(base) : power * Math.LN10;
  const words = (k) => (base ? `${k < 0 ? "1/" : ""}${base ** Math.abs(k)}` : k ? ten(k * power) : "1");
  return [-2, -1, 0, 1, 2].filter((k) => Math.abs(k) * step <= most).map((k) => [k * step, words(k)]);
}

/** Two dots that begin together at 1 and drift apart. */
function driftLine(at, eps) {
  const [each, whole] = [dot("each"), dot("whole")];
  const [link, words] = [html("span", { class: "live-drift-link" }), html("span", { class: "live-drift-words" })];
  const [low, high] = [at(Math.log(1 - eps || Number.MIN_VALUE)), at(Math.log(1 + eps))];
  const band = html("span", { class: "live-drift-band", style: `left: max(0%, ${low}); right: calc(100% - ${high})` });
  const strip = html("div", { class: "live-drift" }, band, link, whole, each);
  function put(logs) {
    each.style.left = at(logs.each);
    whole.style.left = at(logs.whole);
    const ends = [logs.each, logs.whole].sort((a, b) => a - b);
    link.style.left = at(ends[0]);
    link.style.right = `calc(100% - ${at(ends[1])})`;
    words.textContent = `mean ${times(Math.exp(logs.each))}, product ${times(Math.exp(logs.whole))}`;
  }
  return { node: html("div", {}, strip, words), put };
}

/** What colours and marks mean. */
export function ratioKey(eps) {
  const stops = [-5, -2.5, 0, 2.5, 5].map(valueColor).join(", ");
  const fade = `background: linear-gradient(to right, ${stops})`;
  const ramp = html("span", { class: "live-drift-ramp", "aria-hidden": "true", style: fade });
  const item = (...kids) => html("span", { class: "live-item" }, ...kids);
  const key = (look, words) => item(html("span", { class: "live-key", ...look }), words);
  const clipped = key({ class: "live-key live-heat live-heat-clipped" }, "clipped: no gradient");
  const band = key({ style: "background: var(--fig-line)" }, `the band, 1 ± ${show(eps, 2)}`);
  return html("p", { class: "live-legend" }, item("ratio 0.67", ramp, "1.5"), clipped, band);
}
