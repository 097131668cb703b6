// A grid of cells that mouse, touch, keyboard and screen readers can use.
import { html, svg } from "./dom.js";

const STEPS = { ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowDown: [1, 0], ArrowLeft: [0, -1] };
const place = (target) => target.closest?.("[role=gridcell]")?.dataset.at?.split(",").map(Number);

/** A roving-focus grid. `onpick(r, c, dragged)` for a click, a drag of the mouse or Enter; `onkey(r, c, key)` for other
 *  keys; `onhover(r, c)` for the cell under the mouse or the focus; `carry` for what a mouse may drag to another cell:
 *  `takes(r, c)` says whether there is such a thing, `moves(from, to)` follows it from cell to cell; `at` is the cell
 *  that Tab reaches first. `overlay` is an SVG above the cells, a cell is 100 × 100 in it. */
export function gridView({ label, onpick, onkey = () => false, onhover = () => {}, carry = null, at: focus = [0, 0] }) {
  const grid = html("div", {
    role: "grid",
    class: "live-grid",
    "aria-label": label,
    "data-lm-suppress-shortcuts": "true",
  });
  const overlay = svg("svg", { class: "live-overlay", "aria-hidden": "true", preserveAspectRatio: "none" });
  const board = { cells: [], focus };
  const move = (r, c, grab) => moveFocus(board, r, c, grab);
  // a screen reader may put the focus on any cell
  grid.addEventListener("focusin", (event) => {
    const at = place(event.target);
    if (!at) return;
    move(...at);
    onhover(...at);
  });
  grid.addEventListener("pointerover", (event) => {
    const at = event.pointerType === "mouse" && place(event.target); // a finger may be scrolling
    if (at) onhover(...at);
  });
  const off = usePointer(grid, move, onpick, carry);
  useKeys(grid, board, move, onpick, onkey);
  return {
    node: html("div", { class: "live-board" }, grid, overlay),
    grid,
    overlay,
    off,
    /** Say to screen readers, with the grid, what a node says. */
    describe(node) {
      node.id = `live-${Math.random().toString(36).slice(2)}`;
      grid.setAttribute("aria-describedby", node.id);
    },
    /** Draw all cells: look(r, c) gives { picture, color, name, classes } and `off` where picking does nothing. */
    draw(height, width, look) {
      if (board.cells.length !== height || board.cells[0].length !== width) {
        build(board, grid, overlay, height, width);
        move(...board.focus);
      }
      board.cells.forEach((row, r) => {
        row.forEach((cell, c) => {
          dress(cell, `row ${r}, column ${c}`, look(r, c));
        });
      });
    },
  };
}

function moveFocus(board, r, c, grab) {
  const within = (at, count) => Math.max(0, Math.min(count - 1, at));
  board.cells[board.focus[0]]?.[board.focus[1]]?.setAttribute("tabindex", "-1");
  board.focus = [within(r, board.cells.length), within(c, board.cells[0].length)];
  const cell = board.cells[board.focus[0]][board.focus[1]];
  cell.setAttribute("tabindex", "0");
  if (grab) cell.focus();
}

/** A mouse picks where it is pressed and dragged, or carries; a finger scrolls the page, and picks by tapping. */
function usePointer(grid, move, onpick, carry) {
  let pointer = "";
  let press = null; // where the mouse was pressed or has carried to, and what came of it
  grid.addEventListener("pointerdown", (event) => {
    const at = place(event.target);
    pointer = event.pointerType;
    grid.classList.add("live-pointed"); // nobody needs a ring who has pointed
    if (!at || pointer !== "mouse" || event.button) return;
    event.preventDefault();
    press = { at, carries: carry?.takes(...at) ?? false, moved: false };
    move(...at, true);
    if (!press.carries) onpick(...at, false);
  });
  grid.addEventListener("pointerover", (event) => {
    const at = press && event.buttons & 1 && place(event.target);
    if (!at || `${at}` === `${press.at}`) return;
    move(...at, true);
    if (press.carries) carry.moves(press.at, at);
    else onpick(...at, true);
    Object.assign(press, { at, moved: true });
  });
  grid.addEventListener("click", (event) => {
    const at = place(event.target);
    if (!at || (pointer === "mouse" && event.detail !== 0)) return;
    move(...at);
    onpick(...at, false);
  });
  const release = (event) => {
    if (press?.carries && !press.moved && event.type === "pointerup") onpick(...press.at, false); // it was a click
    press = null;
  };
  addEventListener("pointerup", release);
  addEventListener("pointercancel", release);
  return () => {
    removeEventListener("pointerup", release);
    removeEventListener("pointercancel", release);
  };
}

function useKeys(grid, board, move, onpick, onkey) {
  grid.addEventListener("keydown", (event) => {
    grid.classList.remove("live-pointed");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [r, c] = board.focus;
    const step = STEPS[event.key];
    if (step) move(r + step[0], c + step[1], true);
    else if (event.key === "Home") move(r, 0, true);
    else if (event.key === "End") move(r, board.cells[0].length - 1, true);
    else if (event.key === " " || event.key === "Enter") onpick(r, c, false);
    else if (!onkey(r, c, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  grid.addEventListener("keyup", () => grid.classList.remove("live-pointed")); // the key that came from outside
}

function build(board, grid, overlay, height, width) {
  grid.style.setProperty("--columns", width);
  grid.parentElement.style.setProperty("--shape", width / height);
  // small cells need large words; where they are tiny on a phone words go
  grid.classList.toggle("live-many", width > 6);
  grid.classList.toggle("live-tiny", width > 8);
  overlay.setAttribute("viewBox", `0 0 ${100 * width} ${100 * height}`);
  const cell = (r, c) => html("div", { role: "gridcell", tabindex: "-1", "data-at": `${r},${c}` });
  board.cells = Array.from({ length: height }, (_, r) => Array.from({ length: width }, (_, c) => cell(r, c)));
  grid.replaceChildren(...board.cells.map((row) => html("div", { role: "row" }, ...row)));
}

function dress(cell, at, { picture, color, name, classes, off = false }) {
  cell.className = `live-cell ${classes}`;
  cell.style.backgroundColor = color;
  if (off) cell.setAttribute("aria-disabled", "true");
  else cell.removeAttribute("aria-disabled");
  cell.setAttribute("aria-label", `${at}: ${name}`);
  if (cell.picture !== picture) cell.innerHTML = cell.picture = picture;
}
