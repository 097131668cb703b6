// One setting of the lab and the seeds that were tried with it, in a box for each fate.
import { html } from "../parts/dom.js";
import { FATES, fateOf, settingOf } from "./ppo_lab_words.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };
let rows = 0; // every dot needs a name of its own in the page

/** A row; `onpick(config, side, seed)` is told which dot was chosen. Add { seed, share, fell } to its `dots`, and draw.
 *  For the keyboard it is one stop: arrows go from dot to dot, Enter chooses. */
export function rowOf(config, side, onpick) {
  const [dots, words, id] = [[], settingOf(config), `live-dots-${++rows}`];
  const boxes = FATES.map((_, fate) => html("span", { class: `live-box live-box-${fate}` }));
  const list = html("div", { class: `live-dots live-dots-${side}` }, ...boxes);
  const name = html("span", {}, html("span", { class: `live-key live-run-${side}` }), ` ${words}`);
  const nameOf = (dot) => `${id}-${dot.seed}`;
  let here = null; // the dot where the keyboard is
  const point = (dot) => {
    here = dot;
    list.setAttribute("aria-activedescendant", nameOf(dot));
    for (const node of list.querySelectorAll(".live-seed")) node.classList.toggle("live-here", node.id === nameOf(dot));
  };
  const choose = (dot) => {
    point(dot);
    onpick(config, side, dot.seed);
  };
  useList(list, dots, { point, choose, here: () => here });
  return {
    config,
    dots,
    node: html("div", { class: "live-setting" }, name, list),
    draw(seed) {
      dots.sort((a, b) => fateOf(a) - fateOf(b) || a.seed - b.seed);
      if (dots.length) dress(list, boxes, words);
      boxes.forEach((box, fate) => {
        const own = dots.filter((dot) => fateOf(dot) === fate);
        const count = html("b", { "aria-hidden": "true" }, dots.length ? String(own.length) : "");
        box.replaceChildren(count, ...own.map((dot) => dotOf(dot, fate, nameOf(dot), dot.seed === seed)));
      });
      if (here) point(here);
    },
  };
}

/** From its first dot on it is a list to choose from. */
function dress(list, boxes, words) {
  const named = (node, role, label) => {
    node.setAttribute("role", role);
    node.setAttribute("aria-label", label);
  };
  named(list, "listbox", words);
  list.setAttribute("tabindex", "0");
  list.setAttribute("data-lm-suppress-shortcuts", "true");
  boxes.forEach((box, fate) => {
    named(box, "group", FATES[fate]);
  });
}

function dotOf({ seed, fell }, fate, id, now) {
  const cls = `live-seed live-seed-${fate}${fell === null ? "" : " live-fell"}${now ? " live-now" : ""}`;
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

function useList(list, dots, { point, choose, here }) {
  const by = (steps) => dots[Math.max(0, Math.min(dots.length - 1, dots.indexOf(here()) + steps))];
  list.addEventListener("click", (event) => {
    const nodes = [...list.querySelectorAll(".live-seed")];
    const near = nearestTo(event, nodes);
    if (near) choose(dots[nodes.indexOf(near)]);
  });
  list.addEventListener("keydown", (event) => {
    if (!dots.length || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") choose(here() ?? dots[0]);
    else if (event.key in STEPS) point(by(STEPS[event.key]));
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  list.addEventListener("focus", () => dots.length && point(here() ?? dots[0]));
}

/** A finger is wider than a dot: the nearest one is meant, if any is near. */
function nearestTo({ clientX, clientY }, nodes) {
  const away = (node) => {
    const box = node.getBoundingClientRect();
    return Math.hypot(clientX - box.left - box.width / 2, clientY - box.top - box.height / 2);
  };
  const near = nodes.reduce((best, node) => (best && away(best) <= away(node) ? best : node), null);
  return near && away(near) < 24 ? near : null;
}
