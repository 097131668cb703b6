// A grid of cells that mouse, touch, keyboard and screen readers can use.
const RAMP = { low: [221, 138, 118], middle: [243, 234, 215], high: [85, 181, 163] }; // −5, 0, +5
const NAMES = { ".": "free", S: "start", "#": "barrier", M: "lots of money", m: "money", D: "dragon" };

function valueColor(value) {
  const share = Math.min(Math.abs(value) / 5, 1), end = value < 0 ? RAMP.low : RAMP.high;
  return `rgb(${RAMP.middle.map((m, i) => Math.round(m + (end[i] - m) * share)).join(" ")})`;
}

/** Triangles at the cell's edges; their area grows with the probability. */
function arrows(row) {
  const turn = [0, 90, 180, 270];
  return row.map((p, a) => {
    if (p < 0.005) return "";
    const size = 17 * Math.sqrt(p);
    return `<path d="M50 3 L${50 + size} ${3 + size} L${50 - size} ${3 + size}z" transform="rotate(${turn[a]} 50 50)" class="live-arrow"/>`;
  }).join("");
}

/** The inside of one cell as SVG. `value` null means that nothing is written. */
function cellPicture({ symbol, reward, value = null, words = null, policy = null, extra = "" }) {
  if (symbol === "#") return "";
  const label = reward !== null ? (reward > 0 ? "+" : "") + show(reward) : words ?? (value === null ? "" : show(value));
  const drawing = reward !== null ? `<g transform="translate(9 -2) scale(.82)">${ICONS[symbol] ?? ""}</g>` : "";
  const y = reward !== null ? 92 : 60;
  return `<svg viewBox="0 0 100 100" aria-hidden="true">${drawing}${policy ? arrows(policy) : ""}` +
    `<text x="50" y="${y}" class="${reward !== null ? "live-reward" : "live-value"}">${label}</text>${extra}</svg>`;
}

/** A roving-focus grid. `onpick(r, c)` for a click, a drag of the mouse or Enter; `onkey(r, c, key)` for other keys. */
function gridView({ label, onpick, onkey = () => false }) {
  const node = html("div", { role: "grid", class: "live-grid", "aria-label": label, "data-lm-suppress-shortcuts": "true" });
  let cells = [], focus = [0, 0], painting = false, pointer = "";
  const place = (target) => target.closest?.("[role=gridcell]")?.dataset.at?.split(",").map(Number);
  const move = (r, c, grab) => {
    focus = [Math.max(0, Math.min(cells.length - 1, r)), Math.max(0, Math.min(cells[0].length - 1, c))];
    cells.flat().forEach((cell) => cell.setAttribute("tabindex", "-1"));
    const cell = cells[focus[0]][focus[1]];
    cell.setAttribute("tabindex", "0");
    if (grab) cell.focus();
  };
  node.addEventListener("pointerdown", (event) => {
    const at = place(event.target);
    pointer = event.pointerType;
    if (!at || pointer !== "mouse" || event.button) return; // a finger scrolls the page: it picks by tapping
    event.preventDefault();
    painting = true;
    move(...at, true);
    onpick(...at);
  });
  node.addEventListener("pointerover", (event) => {
    const at = painting && event.buttons & 1 && place(event.target);
    if (at) { move(...at, true); onpick(...at); }
  });
  const release = () => { painting = false; };
  addEventListener("pointerup", release);
  node.addEventListener("click", (event) => {
    const at = place(event.target);
    if (at && (pointer !== "mouse" || event.detail === 0)) { move(...at); onpick(...at); }
  });
  node.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowDown: [1, 0], ArrowLeft: [0, -1] }[event.key];
    const [r, c] = focus;
    if (step) move(r + step[0], c + step[1], true);
    else if (event.key === "Home") move(r, 0, true);
    else if (event.key === "End") move(r, cells[0].length - 1, true);
    else if (event.key === " " || event.key === "Enter") onpick(r, c);
    else if (!onkey(r, c, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  return {
    node,
    off: () => removeEventListener("pointerup", release),
    /** Draw all cells: look(r, c) gives { picture, color, name, classes } and `off` where picking does nothing. */
    draw(height, width, look) {
      if (cells.length !== height || cells[0].length !== width) {
        node.style.setProperty("--columns", width);
        cells = Array.from({ length: height }, (_, r) => Array.from({ length: width }, (_, c) =>
          html("div", { role: "gridcell", tabindex: "-1", "data-at": `${r},${c}` })));
        node.replaceChildren(...cells.map((row) => html("div", { role: "row" }, ...row)));
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
