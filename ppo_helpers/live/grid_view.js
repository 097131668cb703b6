// A grid of cells that mouse, touch, keyboard and screen readers can use.
const RAMP = { low: [221, 138, 118], middle: [243, 234, 215], high: [85, 181, 163] }; // −5, 0, +5
const NAMES = { ".": "free", S: "start", "#": "barrier", M: "lots of money", m: "money", D: "dragon" };

function valueColor(value) {
  const share = Math.min(Math.abs(value) / 5, 1), end = value < 0 ? RAMP.low : RAMP.high;
  return `rgb(${RAMP.middle.map((m, i) => Math.round(m + (end[i] - m) * share)).join(" ")})`;
}

/** A reward with its sign. */
const prize = (reward) => (reward > 0 ? "+" : "") + show(reward);

/** Triangles at the cell's edges; their area grows with the probability, and the rare ones are pale. */
function arrows(row, largest) {
  return row.map((p, a) => {
    if (p < 0.005) return "";
    const size = largest * Math.sqrt(p), shade = 0.35 + 0.65 * Math.sqrt(p), [left, right] = [50 - size, 50 + size];
    return `<path d="M50 4 L${right.toFixed(1)} ${(4 + size).toFixed(1)} L${left.toFixed(1)} ${(4 + size).toFixed(1)}z" ` +
      `transform="rotate(${90 * a} 50 50)" class="live-arrow" opacity="${shade.toFixed(2)}"/>`;
  }).join("");
}

/** The inside of one cell as SVG; arrows are larger where no number is written. */
function cellPicture({ symbol, reward = null, words = null, policy = null, extra = "" }) {
  if (symbol === "#") return "";
  const drawing = reward === null ? "" : ICONS[symbol] ? `<g transform="translate(9 -2) scale(.82)">${ICONS[symbol]}</g>`
    : `<text x="50" y="55" class="live-value">${symbol.replace("&", "&amp;").replace("<", "&lt;")}</text>`;
  const text = reward !== null ? `<text x="50" y="92" class="live-reward">${prize(reward)}</text>`
    : words !== null ? `<text x="50" y="60" class="live-value">${words}</text>` : "";
  return `<svg viewBox="0 0 100 100" aria-hidden="true">${drawing}${policy ? arrows(policy, words === null ? 17 : 13) : ""}${text}${extra}</svg>`;
}

/** A roving-focus grid. `onpick(r, c, dragged)` for a click, a drag of the mouse or Enter; `onkey(r, c, key)` for other
 *  keys. `overlay` is an SVG above the cells in which a cell is 100 × 100. */
function gridView({ label, onpick, onkey = () => false }) {
  const grid = html("div", { role: "grid", class: "live-grid", "aria-label": label, "data-lm-suppress-shortcuts": "true" });
  const overlay = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of [["class", "live-overlay"], ["aria-hidden", "true"], ["preserveAspectRatio", "none"]]) overlay.setAttribute(key, value);
  let cells = [], focus = [0, 0], painting = false, pointer = "";
  const place = (target) => target.closest?.("[role=gridcell]")?.dataset.at?.split(",").map(Number);
  const move = (r, c, grab) => {
    cells[focus[0]]?.[focus[1]]?.setAttribute("tabindex", "-1");
    focus = [Math.max(0, Math.min(cells.length - 1, r)), Math.max(0, Math.min(cells[0].length - 1, c))];
    const cell = cells[focus[0]][focus[1]];
    cell.setAttribute("tabindex", "0");
    if (grab) cell.focus();
  };
  grid.addEventListener("focusin", (event) => { // a screen reader may put the focus on any cell
    const at = place(event.target);
    if (at) move(...at);
  });
  grid.addEventListener("pointerdown", (event) => {
    const at = place(event.target);
    pointer = event.pointerType;
    if (!at || pointer !== "mouse" || event.button) return; // a finger scrolls the page: it picks by tapping
    event.preventDefault();
    painting = true;
    move(...at, true);
    onpick(...at, false);
  });
  grid.addEventListener("pointerover", (event) => {
    const at = painting && event.buttons & 1 && place(event.target);
    if (at) { move(...at, true); onpick(...at, true); }
  });
  const release = () => { painting = false; };
  addEventListener("pointerup", release);
  grid.addEventListener("click", (event) => {
    const at = place(event.target);
    if (at && (pointer !== "mouse" || event.detail === 0)) { move(...at); onpick(...at, false); }
  });
  grid.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowDown: [1, 0], ArrowLeft: [0, -1] }[event.key];
    const [r, c] = focus;
    if (step) move(r + step[0], c + step[1], true);
    else if (event.key === "Home") move(r, 0, true);
    else if (event.key === "End") move(r, cells[0].length - 1, true);
    else if (event.key === " " || event.key === "Enter") onpick(r, c, false);
    else if (!onkey(r, c, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  return {
    node: html("div", { class: "live-board" }, grid, overlay),
    overlay,
    /** Say to screen readers, with the grid, what a node says. */
    describe(node) {
      node.id = `live-${Math.random().toString(36).slice(2)}`;
      grid.setAttribute("aria-describedby", node.id);
    },
    off: () => removeEventListener("pointerup", release),
    /** Draw all cells: look(r, c) gives { picture, color, name, classes } and `off` where picking does nothing. */
    draw(height, width, look) {
      if (cells.length !== height || cells[0].length !== width) {
        grid.style.setProperty("--columns", width);
        overlay.setAttribute("viewBox", `0 0 ${100 * width} ${100 * height}`);
        cells = Array.from({ length: height }, (_, r) => Array.from({ length: width }, (_, c) =>
          html("div", { role: "gridcell", tabindex: "-1", "data-at": `${r},${c}` })));
        grid.replaceChildren(...cells.map((row) => html("div", { role: "row" }, ...row)));
        move(...focus);
      }
      cells.forEach((row, r) => row.forEach((cell, c) => {
        const { picture, color, name, classes, off = false } = look(r, c);
        cell.className = `live-cell ${classes}`;
        cell.style.backgroundColor = color;
        if (off) cell.setAttribute("aria-disabled", "true");
        else cell.removeAttribute("aria-disabled");
        cell.setAttribute("aria-label", `row ${r}, column ${c}: ${name}`);
        if (cell.picture !== picture) cell.innerHTML = cell.picture = picture;
      }));
    },
  };
}
