// The maps of chapter 3 that stand beside the one that is worked on.
import { html, svg } from "../parts/dom.js";

/** A map as one drawing. A mouse may point and press there as well; a finger that points reads a cell. */
export function sideMap(label, { onpick, onhover }) {
  const node = svg("svg", { role: "img", "aria-label": label, class: "live-side-map" });
  const place = (event) => event.target.closest("[data-at]")?.dataset.at.split(",").map(Number);
  node.addEventListener("pointerover", (event) => {
    const at = place(event);
    if (!at) return;
    onhover(...at);
    if (event.pointerType === "mouse" && event.buttons & 1) onpick(...at, true);
  });
  node.addEventListener("pointerdown", (event) => {
    const at = place(event);
    if (!at || event.pointerType !== "mouse" || event.button) return;
    event.preventDefault();
    onpick(...at, false);
  });
  const tiles = [];
  const frames = ["live-row", "live-row live-at"].map((cls) => svg("rect", { class: cls }));
  return {
    node: html("div", { class: "live-board" }, node),
    draw(cells, look, chosen) {
      if (!tiles.length) node.append(...built(tiles, cells), ...frames);
      node.setAttribute("viewBox", `0 0 ${100 * cells[0].length} ${100 * cells.length}`);
      cells.flat().forEach((cell, i) => {
        if (cell.s >= 0) dress(tiles[i], ...look(cell));
      });
      putFrames(frames, cells[0].length, chosen);
    },
  };
}

/** A tile for every cell; they stay, so that what is under the mouse does not change with what is shown. */
function built(tiles, cells) {
  cells.forEach((row, r) => {
    row.forEach(({ s }, c) => {
      const tile = svg("g", { "data-at": `${r},${c}`, transform: `translate(${100 * c} ${100 * r})` });
      const ground = svg("rect", { x: 2, y: 2, width: 96, height: 96, class: s < 0 ? "live-stone" : "" });
      tile.append(ground, svg("g"));
      tiles.push(tile);
    });
  });
  return tiles;
}

function dress(tile, color, inside) {
  const [ground, picture] = tile.children;
  ground.setAttribute("fill", color);
  if (tile.inside !== inside) picture.innerHTML = tile.inside = inside;
}

/** Around the row that is cut, and around the cell that is read. */
export function putFrames(frames, width, [r, c]) {
  const line = { x: 4, y: 100 * r + 4, width: 100 * width - 8, height: 92 };
  const cell = { x: 100 * c + 5, y: 100 * r + 5, width: 90, height: 90 };
  frames.forEach((frame, i) => {
    for (const [name, value] of Object.entries(i ? cell : line)) frame.setAttribute(name, value);
  });
}
