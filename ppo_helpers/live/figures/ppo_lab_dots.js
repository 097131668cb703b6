// One setting of the lab and the seeds that were tried with it, in a box for each fate.
import { html } from "../parts/dom.js";
import { FATES, fateOf, settingOf } from "./ppo_lab_words.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };
let rows = 0; // every dot needs a name of its own in the page

/** A row; `onpick(config, side, seed)` is told which dot was chosen. Add { seed, share, fell } to its `dots`, and draw.
 *  For the keyboard it is one stop: arrows go from dot to dot, Enter chooses. */
export function rowOf(config, side, onpick) {
  const [dots, words, id] = [[], settingOf(config), `live-dots-${++rows}`];
  const boxes = FATES.map((fate, i) => html("span", { class: `live-box live-box-${i}`, "aria-label": fate }));
  const list = html("div", { class: `live-dots live-dots-${side}`, "aria-label": words }, ...boxes);
  const name = html("span", {}, html("span", { class: `live-key live-run-${side}` }), ` ${words}`);
  let at = 0; // where the keyboard is
  const point = () => list.setAttribute("aria-activedescendant", `${id}-${dots[at].seed}`);
  const go = (to) => {
    at = Math.max(0, Math.min(dots.length - 1, to));
    point();
    for (const dot of list.querySelectorAll(".live-dot"))
      dot.classList.toggle("live-here", dot.id === `${id}-${dots[at].seed}`);
  };
  const choose = (n) => {
    go(n);
    onpick(config, side, dots[n].seed);
  };
  useList(list, dots, { go, choose, at: () => at });
  return {
    dots,
    node: html("div", { class: "live-row" }, name, list),
    draw(seed) {
      dots.sort((a, b) => fateOf(a) - fateOf(b) || a.seed - b.seed);
      if (dots.length) dress(list, boxes);
      boxes.forEach((box, fate) => {
        const own = dots.filter((dot) => fateOf(dot) === fate);
        const nodes = own.map((dot) => dotOf(dot, fate, `${id}-${dot.seed}`, dot.seed === seed));
        box.replaceChildren(html("b", { "aria-hidden": "true" }, dots.length ? String(own.length) : ""), ...nodes);
      });
    },
  };
}

/** From its first dot on it is a list to choose from. */
function dress(list, boxes) {
  for (const [name, value] of [
    ["role", "listbox"],
    ["tabindex", "0"],
    ["data-lm-suppress-shortcuts", "true"],
  ]) {
    list.setAttribute(name, value);
  }
  for (const box of boxes) box.setAttribute("role", "group");
}

function dotOf({ seed, fell }, fate, id, now) {
  const cls = `live-dot live-dot-${fate}${fell === null ? "" : " live-fell"}${now ? " live-now" : ""}`;
  const name = `seed ${seed}: ${FATES[fate]}${fell === null ? "" : `, fell at iteration ${fell}`}`;
  return html("span", {
    class: cls,
    id,
    role: "option",
    "aria-selected": String(now),
    "aria-label": name,
    title: name,
  });
}

/** A finger is wider than a dot: the nearest one is meant. */
function useList(list, dots, { go, choose, at }) {
  list.addEventListener("click", (event) => {
    const away = (node) => {
      const box = node.getBoundingClientRect();
      return Math.hypot(event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2);
    };
    const nodes = [...list.querySelectorAll(".live-dot")];
    const near = nodes.reduce((best, node) => (best && away(best) <= away(node) ? best : node), null);
    if (near && away(near) < 24) choose(nodes.indexOf(near));
  });
  list.addEventListener("keydown", (event) => {
    if (!dots.length || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") choose(at());
    else if (event.key in STEPS) go(at() + STEPS[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  list.addEventListener("focus", () => go(at()));
}
