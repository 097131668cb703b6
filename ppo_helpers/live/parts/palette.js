// The tools with which a world is painted.
import { icon, NAMES, prize } from "./cells.js";
import { KEYS } from "./controls.js";
import { html, unseen } from "./dom.js";

/** The tool that paints nothing: cells are only asked where their numbers come from. */
export const ASK = "?";
const QUESTION = '<text x="50" y="70" font-size="68" text-anchor="middle">?</text>';
const WORDS = { [ASK]: "why?", ".": "free", "#": "wall" };

/** A radio button for each tool, the first one chosen; `tool()` is the one chosen now, a symbol or ASK. */
export function palette(rewards) {
  let chosen = ASK;
  const group = `live-${Math.random().toString(36).slice(2)}`;
  const choose = (symbol) => {
    chosen = symbol;
  };
  const tools = [ASK, ".", "#", ...Object.keys(rewards)].map((symbol) => toolChoice(symbol, rewards, group, choose));
  const node = html(
    "fieldset",
    { class: "live-tools live-paint" },
    html("legend", { class: "live-hidden" }, "Tool"),
    ...tools,
  );
  return { node, tool: () => chosen };
}

function toolChoice(symbol, rewards, name, choose) {
  const first = symbol === ASK ? { checked: "" } : {};
  const input = html("input", {
    type: "radio",
    ...first,
    name,
    value: symbol,
    ...KEYS,
    onchange: () => choose(symbol),
  });
  const picture = html("span", { class: `live-swatch ${symbol === "#" ? "live-barrier" : ""}` });
  const drawing = symbol === ASK ? QUESTION : symbol in rewards ? icon(symbol) : "";
  picture.innerHTML = `<svg viewBox="10 0 80 88" aria-hidden="true">${drawing}</svg>`;
  const words = html("span", {}, WORDS[symbol] ?? prize(rewards[symbol]));
  const named = symbol in rewards ? [unseen(`, ${NAMES[symbol] ?? symbol}`)] : [];
  return html("label", { class: "live-tool" }, input, picture, words, ...named);
}

/** What the grid does under a tool: `onpick` and `onkey` paint, `carry` lets a mouse drag money and dragons about. */
export function painter(state, plan, tool) {
  let stroke = ".";
  let under = "."; // what stood where the carried thing stands now
  const symbolAt = (r, c) => plan.world.cells[r][c];
  const put = (changes) => {
    const rows = plan.world.cells.map((row) => [...row]);
    for (const [r, c, symbol] of changes) rows[r][c] = symbol;
    state.set({ text: rows.map((row) => row.join(" ")).join("\n") });
  };
  return {
    onpick(r, c, dragged) {
      if (tool() === ASK) return;
      if (!dragged) stroke = symbolAt(r, c) === tool() ? "." : tool(); // what is there already is taken away
      put([[r, c, stroke]]);
    },
    onkey(r, c, key) {
      const paints = key === "." || key === "#" || key in state.get("rewards");
      if (paints) put([[r, c, key]]);
      return paints;
    },
    carry: {
      takes(r, c) {
        under = ".";
        return symbolAt(r, c) in state.get("rewards");
      },
      moves([r, c], [row, column]) {
        const [thing, covered] = [symbolAt(r, c), symbolAt(row, column)];
        put([
          [r, c, under],
          [row, column, thing],
        ]);
        under = covered;
      },
    },
  };
}
