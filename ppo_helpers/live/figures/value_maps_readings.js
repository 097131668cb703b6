// What is read and pressed beside chapter 3's maps.
import { KEYS } from "../parts/controls.js";
import { html, show } from "../parts/dom.js";

/** How many cells are shown, and the way back to the recorded trainings. */
export function shareChoice({ fractions, runs, truth }, home, open) {
  const name = `live-${Math.random().toString(36).slice(2)}`;
  const inputs = fractions.map((_, i) => {
    const first = i === home ? { checked: "" } : {};
    return html("input", { type: "radio", name, ...KEYS, onchange: () => open(i), ...first });
  });
  const tools = inputs.map((input, i) =>
    html("label", { class: "live-tool live-share" }, input, `${show(100 * fractions[i], 0)} %`),
  );
  const count = html("p", { class: "live-caption" });
  const row = html(
    "div",
    { class: "live-tools", role: "radiogroup", "aria-label": "a random share of the cells" },
    ...tools,
  );
  return {
    node: html("div", {}, count, row),
    draw(run) {
      const own = runs.includes(run) ? "at random" : "your choice";
      count.textContent = `cells shown: ${run.cells.size} of ${truth.length}, ${own}`;
      inputs.forEach((input, i) => {
        input.checked = run === runs[i];
      });
    },
  };
}

/** What the chosen cell is about. */
export function sentence({ world, truth }, { run, frame, chosen }) {
  const [said, real] = [run.frames[frame()][chosen], truth[chosen]];
  const [r, c] = world.states[chosen];
  const nothing = run.cells.size ? "" : "The network is shown nothing: click a cell. ";
  const known = run.cells.has(chosen) ? "shown" : "never shown";
  const place = `Row ${r}, column ${c}, ${known}`;
  const both = `the network says ${show(said, 2)}, the truth is ${show(real, 2)}`;
  return `${nothing}${place}: ${both}: ${judged(said - real)}.`;
}

function judged(missed) {
  if (Math.abs(missed) < 0.005) return "right";
  return `${show(Math.abs(missed), 2)} too ${missed > 0 ? "high" : "low"}`;
}
